"""What several commands ask of their options."""

from __future__ import annotations

import math
from typing import Any

import click


class Seconds(click.FloatRange):
    """A time; not infinite, and not ``nan``, which no bound keeps out."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """A finite number within the bounds."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return number


def given(_context: click.Context, _parameter: click.Parameter, value: Any) -> Any:
    """A text that is not empty: ``--model "$UNSET"`` must not mean something else than it says."""
    for text in value if isinstance(value, tuple) else (value,):  # pyright: ignore[reportUnknownVariableType]
        if text is not None and not str(text).strip():  # pyright: ignore[reportUnknownArgumentType]
            raise click.BadParameter("it is empty; give a value, or leave the option out")
    return value  # pyright: ignore[reportUnknownVariableType]
