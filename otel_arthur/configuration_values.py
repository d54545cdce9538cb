"""What the text of a setting means, and which Python values may stand for that text.

Each parser takes a text that is not empty, and raises ValueError with what is wrong: never with
the value, which may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Final, cast
from urllib.parse import urlsplit

_MAX_NUMBER: Final = 1e9
_HOST: Final = re.compile(r"[\w.-]+|[0-9a-f:.]+(?:%\w+)?")
"""A name, of any script, or an IP address."""
_BLANK: Final = re.compile(r"[\s\x00-\x20]")
UNSET: Final = object()
"""What an empty argument means."""


@dataclass(frozen=True, slots=True)
class Route:
    """Calls whose ``service.name`` or request model matches `pattern` go to `model_id`."""

    pattern: str
    """A shell-style pattern, as in ``support-*``."""
    model_id: str


def url(value: str) -> str:
    """An ``http`` or ``https`` URL without a name and password in it."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - the property raises on a port that is no number
    except ValueError:
        raise ValueError("it is not a URL; write it as https://host") from None
    if parts.username is not None or parts.password is not None:
        # It would lie in the spool and be shown by `spool status`.
        raise ValueError(
            "it must not hold a user name or password; set OTEL_EXPORTER_ARTHUR_API_KEY, or "
            "OTEL_EXPORTER_ARTHUR_LOGIN and OTEL_EXPORTER_ARTHUR_PASSWORD"
        )
    if (
        parts.scheme not in ("http", "https")
        or not _HOST.fullmatch(parts.hostname or "")
        or _BLANK.search(value)
    ):
        raise ValueError("it must be a URL that begins with https:// or http://, as in https://app.arthur.ai")
    return value.rstrip("/")


def text(value: str) -> str:
    """Any text."""
    return value


def file_content(value: str) -> str:
    """The text in the file of this name."""
    try:
        content = path(value).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"the file cannot be read ({type(error).__name__}); name a readable text file"
        ) from None
    if not content:
        raise ValueError("the file is empty; put the API key into it")
    return content


def path(value: str) -> Path:
    """A file or folder; ``~`` is the user's home."""
    if "\0" in value:
        raise ValueError("it holds a zero byte; write the path of a file or folder")
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise ValueError("it names the home of a user who is not known; write the whole path") from None


def file_name(value: str) -> str:
    """The path of a file, as a text."""
    return str(path(value))


def folder(value: str) -> Path | None:
    """A folder; None for ``off``."""
    return None if value.lower() == "off" else path(value)


def seconds(value: str) -> float:
    """A time greater than 0."""
    number = _number(value, "it must be a number of seconds, as in 10 or 2.5")
    if not 0 < number < _MAX_NUMBER:
        raise ValueError("it must be a number of seconds greater than 0")
    return number


def window(value: str) -> float:
    """A time from 0 to an hour, in seconds."""
    wanted = "it must be a number of seconds from 0 to 3600"
    number = _number(value, wanted)
    if not 0 <= number <= 3600:
        raise ValueError(wanted)
    return number


def whole_number(value: str) -> int:
    """An integer greater than 0."""
    if not value.isascii() or not value.isdigit() or len(value) > 18 or int(value) == 0:
        raise ValueError("it must be a whole number greater than 0")
    return int(value)


def megabytes(value: str) -> int:
    """A size in MiB, in bytes."""
    wanted = "it must be a number of megabytes greater than 0"
    number = _number(value, wanted)
    if not 0 < number < _MAX_NUMBER or number * 1024**2 < 1:
        raise ValueError(wanted)
    return int(number * 1024**2)


def ratio(value: str) -> float:
    """A number from 0 to 1."""
    wanted = "it must be a number from 0 to 1"
    number = _number(value, wanted)
    if not 0.0 <= number <= 1.0:
        raise ValueError(wanted)
    return number


def boolean(value: str) -> bool:
    """``true`` or ``false``, or what else is common for them."""
    lowered = value.lower()
    if lowered in ("true", "1", "yes", "on"):
        return True
    if lowered in ("false", "0", "no", "off"):
        return False
    raise ValueError("it must be true or false")


def one_of(*allowed: str) -> Callable[[str], str]:
    """A parser of one of these words."""

    def parse(value: str) -> str:
        if value.lower() not in allowed:
            raise ValueError(f"it must be one of {', '.join(allowed)}")
        return value.lower()

    return parse


def names(value: str) -> tuple[str, ...]:
    """A list separated by commas."""
    return tuple(name.strip() for name in value.split(",") if name.strip())


def pairs(value: str) -> dict[str, str]:
    """``name=value,…``"""
    found: dict[str, str] = {}
    for item in names(value):
        left, equals, right = item.partition("=")
        if not (equals and left.strip() and right.strip()):
            raise ValueError("each item must have the form name=value, separated by commas")
        found[left.strip()] = right.strip()
    return found


def routes(value: str) -> tuple[Route, ...]:
    """``pattern=model_id,…`` in order."""
    return routes_of(pairs(value))


def routes_of(mapping: Mapping[str, str]) -> tuple[Route, ...]:
    """The routes of pattern -> model id, in order."""
    return tuple(Route(pattern, model_id) for pattern, model_id in mapping.items())


@dataclass(frozen=True, slots=True)
class Form:
    """Which values an argument may have besides the text that its variable would hold."""

    wanted: str
    """For the error."""
    as_text: Callable[[Any], str | None] = lambda _value: None
    """The text that a value stands for; None for a value that is none of these."""
    as_pairs: Callable[[Mapping[str, str]], Any] | None = None
    """What a mapping of texts means, where it may be one."""


TEXT = Form("a text")
NUMBER = Form("a number", lambda value: str(value) if _is_number(value) else None)
FLAG = Form("True or False", lambda value: str(value) if isinstance(value, int) else None)
PATH = Form("a text or a pathlib.Path", lambda value: str(value) if isinstance(value, PurePath) else None)
NAMES = Form(
    "names, or the dotted path of a callable, as a text or a list of texts", lambda value: _joined(value)
)
PAIRS = Form("a text, or a mapping of texts", as_pairs=dict)
ROUTES = Form("a text, or a mapping of pattern to model id", as_pairs=routes_of)


def argument(value: Any, form: Form, parse: Callable[[str], Any]) -> Any:
    """What an argument means; `UNSET` where it is empty.

    Raises:
        ValueError: it has a wrong type, which is named, or means nothing.
    """
    if isinstance(value, Mapping) and form.as_pairs is not None:
        mapping = cast("Mapping[Any, Any]", value)
        for item in (*mapping.keys(), *mapping.values()):
            if not isinstance(item, str) or not item.strip():
                raise ValueError(
                    f"something in it is {_kind(item)}; names and values must be texts that are not empty"
                )
            encodable(item)
        return form.as_pairs(mapping) if mapping else UNSET
    written = value if isinstance(value, str) else form.as_text(value)
    if written is None:
        raise ValueError(f"it is {_kind(value)}; it must be {form.wanted}")
    written = encodable(written.strip())
    return parse(written) if written else UNSET


def encodable(value: str) -> str:
    """`value`, where it can be sent: bytes of an environment that are no UTF-8 arrive as surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("it holds bytes that are no UTF-8") from None
    return value


def _number(value: str, wanted: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ValueError(wanted) from None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _joined(value: Any) -> str | None:
    if not isinstance(value, list | tuple):
        return None
    items = cast("list[Any] | tuple[Any, ...]", value)
    return ",".join(items) if all(isinstance(item, str) for item in items) else None


def _kind(value: Any) -> str:
    return "an empty text" if isinstance(value, str) else f"of type {type(value).__name__}"
