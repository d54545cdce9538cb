"""What a person sees: output, colours, progress, errors as one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_arthur.cli.terminal.screen import Screen


def new_console(*, err: bool = False) -> Screen:
    """A console for tables and styled lines on standard output, or on standard error with `err`."""
    from otel_arthur.cli.terminal.screen import Screen  # Imported late: it brings `rich` along.

    return Screen(stderr=err)
