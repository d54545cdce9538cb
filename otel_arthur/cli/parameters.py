"""Options that several commands share, and checks of their values."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from otel_arthur.cli.terminal.errors import WrongUse

FC = TypeVar("FC", bound="Callable[..., Any] | click.Command")
_MAX_KEY_BYTES: Final = 64 * 1024


class Seconds(click.FloatRange):
    """A finite number of seconds: no bound of click's keeps ``nan`` out."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return number


def seconds(name: str, default: float, says: str, **bounds: Any) -> Callable[[FC], FC]:
    """An option that takes seconds.

    Args:
        **bounds: as of `click.FloatRange`.
    """
    return click.option(name, type=Seconds(**bounds), default=default, show_default=True, help=says)


def given(_context: click.Context, _parameter: click.Parameter, value: Any) -> Any:
    """Refuse an empty text: ``--model "$UNSET"`` must not count as an option that was left out."""
    for text in value if isinstance(value, tuple) else (value,):  # pyright: ignore[reportUnknownVariableType]
        if text is not None and not str(text).strip():  # pyright: ignore[reportUnknownArgumentType]
            raise click.BadParameter("it is empty; give a value, or leave the option out")
    return value  # pyright: ignore[reportUnknownVariableType]


def key_in(file: Path) -> str:
    """The API key that ``--api-key-file`` names.

    Raises:
        WrongUse: there is none in it.
    """
    file = file.expanduser()
    # A pipe would be waited for, and a device has no end.
    if not file.is_file() or file.stat().st_size > _MAX_KEY_BYTES:
        raise WrongUse("--api-key-file names no file of at most 64 kB; name a text file that holds the key")
    try:
        key = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(f"--api-key-file cannot be read ({type(error).__name__}); name a text file") from None
    if not key:
        raise WrongUse("--api-key-file is empty; put the API key into it")
    return key


class NamesAndTypes(click.ParamType):  # pyright: ignore[reportMissingTypeArgument] - since click 8.4
    """``NAME:TYPE`` of an attribute; the type in any case."""

    name = "NAME:TYPE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        name, colon, value_type = str(value).partition(":")
        if not colon or not name.strip() or not value_type.strip():
            self.fail(f"{value!r} must be a name and a type, as in tenant:STRING", param, ctx)
        return name.strip(), value_type.strip().upper()


def _key(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> str | None:
    return None if value is None else key_in(value)


JSON = click.option("--json", "as_json", is_flag=True, help="JSON for programs.")


def rows_of_a_file(command: FC) -> FC:
    """The file, the timeout and the output of a command that sends rows; see `cli.sending.send_rows`."""
    timeout = seconds("--timeout", 60.0, "Seconds to wait for the sending.", min=0)
    return click.argument("file")(timeout(JSON(command)))


ENDPOINT = click.option(
    "--endpoint", callback=given, help="Arthur's address, instead of OTEL_EXPORTER_ARTHUR_ENDPOINT."
)
API_KEY_FILE = click.option(
    "--api-key-file",
    "api_key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    callback=_key,
    help="A file that holds the key, instead of OTEL_EXPORTER_ARTHUR_API_KEY.",
)
