"""The kinds of values that settings have: one parser for each kind.

A kind reads the text of a variable or of a YAML scalar, and the Python value of an argument. It raises
ValueError with a predicate, as in ``must be a number from 0 to 1``, and the caller puts the setting's name
before the predicate. No message quotes the value, because the value may be a secret.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Final, Generic, TypeVar, cast
from urllib.parse import urlsplit

_T = TypeVar("_T")

MAX_SECRET_BYTES: Final = 64 * 1024
_HOST: Final = re.compile(r"[\w.-]+|[0-9a-f:.]+(?:%\w+)?")
"""A name, of any script, or an IP address."""
_BLANK: Final = re.compile(r"[\s\x00-\x20]")
_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TRUE: Final = ("true", "1", "yes", "on")
_FALSE: Final = ("false", "0", "no", "off")


@dataclass(frozen=True, slots=True)
class Kind(Generic[_T]):
    """How the values of a kind are read. Call a kind with a text or a Python value; it raises ValueError."""

    accepts: str
    """The annotation of an argument of this kind."""
    parse: Callable[[Any], _T]

    def __call__(self, value: Any) -> _T:
        return self.parse(value)


@dataclass(frozen=True, slots=True)
class Route:
    """Calls whose ``service.name`` or request model matches `pattern` go to `model_id`."""

    pattern: str
    """A shell-style pattern, as in ``support-*``."""
    model_id: str


def _kind(accepts: str) -> Callable[[Callable[[Any], _T]], Kind[_T]]:
    return lambda parse: Kind(accepts, parse)


@_kind("str")
def text(value: Any) -> str:
    return _text(value, "a text")


@_kind("str")
def url(value: Any) -> str:
    """An ``http`` or ``https`` URL without a name and password in it."""
    written = _text(value, "a text")
    try:
        parts = urlsplit(written)
        parts.port  # noqa: B018 - the property raises on a port that is no number
    except ValueError:
        raise ValueError("is not a URL; write it as https://host") from None
    if parts.username is not None or parts.password is not None:
        # The spool keeps the endpoint, and `spool status` shows it.
        raise ValueError(
            "must not hold a user name or password; set OTEL_EXPORTER_ARTHUR_API_KEY, or "
            "OTEL_EXPORTER_ARTHUR_LOGIN and OTEL_EXPORTER_ARTHUR_PASSWORD"
        )
    is_host = _HOST.fullmatch(parts.hostname or "") and not _BLANK.search(written)
    if parts.scheme not in ("http", "https") or not is_host:
        raise ValueError("must be a URL that begins with https:// or http://, as in https://app.arthur.ai")
    return written.rstrip("/")


@_kind("str | Path")
def file_name(value: Any) -> str:
    """The path of a file, as a text."""
    return str(_path(value))


@_kind("str | Path")
def folder(value: Any) -> Path | None:
    """A folder; None for ``off``."""
    return None if isinstance(value, str) and value.lower() == "off" else _path(value)


@_kind("str | Path")
def existing_file(value: Any) -> Path:
    path = _path(value)
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise _unreadable(error.strerror) from None


@_kind("str | Path")
def secret_in_file(value: Any) -> str:
    """The text in a regular file of `MAX_SECRET_BYTES` at most, without blanks around the text.

    A pipe would block, and a device has no end.
    """
    path = _path(value)
    try:
        if path.exists() and not path.is_file():
            raise ValueError("names no regular file; name a text file")
        with path.open("rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
        secret = content.decode().strip()
    except OSError as error:
        raise _unreadable(error.strerror) from None
    except UnicodeDecodeError:
        raise _unreadable("it is not UTF-8 text") from None
    if len(content) > MAX_SECRET_BYTES:
        raise ValueError("names a file of more than 64 kB; put nothing but the secret into the file")
    if not secret:
        raise ValueError("names an empty file; put the secret into the file")
    return secret


def _numbers(wanted: str, is_right: Callable[[float], bool], *, is_time: bool = False) -> Kind[float]:
    """Numbers within bounds; times may have a unit."""

    @_kind("float | str")
    def parse(value: Any) -> float:
        match = _TIME.fullmatch(value) if is_time and isinstance(value, str) else None
        written = value if _is_number(value) else match[1] if match else _text(value, wanted)
        try:
            number = float(written) * (_UNITS[match[2]] if match else 1.0)
        except (ValueError, OverflowError):
            number = math.nan
        if not is_right(number):
            raise ValueError(f"must be {wanted}")
        return number

    return parse


seconds: Final = _numbers(
    "a number of seconds greater than 0, or a time as in 10s, 500ms or 5m",
    lambda n: 0 < n < 1e9,
    is_time=True,
)
window: Final = _numbers(
    "a number of seconds from 0 to 3600, or a time as in 10s or 5m", lambda n: 0 <= n <= 3600, is_time=True
)
ratio: Final = _numbers("a number from 0 to 1", lambda n: 0 <= n <= 1)
_mebibytes: Final = _numbers("a number of megabytes greater than 0", lambda n: 1e-6 <= n < 1e9)


@_kind("float | str")
def megabytes(value: Any) -> int:
    """A size in MiB, as bytes."""
    return int(_mebibytes(value) * 1024**2)


@_kind("int | str")
def whole_number(value: Any) -> int:
    written = str(value) if _is_number(value) else _text(value, "a number")
    if not written.isascii() or not written.isdigit() or len(written) > 18 or int(written) == 0:
        raise ValueError("must be a whole number greater than 0")
    return int(written)


@_kind("bool | str")
def boolean(value: Any) -> bool:
    """``true`` or ``false``, or another common word for one of them."""
    written = str(value) if isinstance(value, int) else _text(value, "True or False")
    if written.lower() in _TRUE:
        return True
    if written.lower() in _FALSE:
        return False
    raise ValueError("must be true or false")


@_kind("bool | str")
def negated(value: Any) -> bool:
    return not boolean(value)


def one_of(*allowed: str) -> Kind[str]:
    """One of these words, in any case."""

    @_kind("str")
    def parse(value: Any) -> str:
        word = _text(value, "a text").lower()
        if word not in allowed:
            many = len(allowed) > 2
            raise ValueError(f"must be {'one of ' if many else ''}{(', ' if many else ' or ').join(allowed)}")
        return word

    return parse


@_kind("Sequence[str] | str")
def names(value: Any) -> tuple[str, ...]:
    """Names: a list, or a text separated by commas."""
    if isinstance(value, list | tuple):
        items = cast("list[Any] | tuple[Any, ...]", value)
        if all(isinstance(item, str) for item in items):
            value = ",".join(items)
    written = _text(value, "names, or the dotted path of a callable, as a text or a list of texts")
    return tuple(name.strip() for name in written.split(",") if name.strip())


@_kind("Mapping[str, str] | str")
def pairs(value: Any) -> dict[str, str]:
    """A mapping, or the text ``name=value,…``"""
    if isinstance(value, Mapping):
        mapping = cast("Mapping[Any, Any]", value)
        for item in (*mapping.keys(), *mapping.values()):
            if not isinstance(item, str) or not item.strip():
                kind = "an empty text" if isinstance(item, str) else f"of type {type(item).__name__}"
                raise ValueError(f"holds {kind}; names and values must be texts that are not empty")
            text(item)
        return dict(mapping)
    found: dict[str, str] = {}
    for item in names(_text(value, "a text, or a mapping of texts")):
        left, equals, right = item.partition("=")
        if not (equals and left.strip() and right.strip()):
            raise ValueError("must hold items of the form name=value, separated by commas")
        found[left.strip()] = right.strip()
    return found


@_kind("Mapping[str, str] | str")
def routes(value: Any) -> tuple[Route, ...]:
    """A mapping of pattern to model id, or the text ``pattern=model_id,…``, in order."""
    return tuple(Route(pattern, model_id) for pattern, model_id in pairs(value).items())


def _text(value: Any, wanted: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"is of type {type(value).__name__}; it must be {wanted}")  # noqa: TRY004 - see above
    try:
        value.encode()
    except UnicodeEncodeError:
        # The bytes of an environment that are no UTF-8 arrive as surrogates.
        raise ValueError("holds bytes that are no UTF-8") from None
    return value


def _path(value: Any) -> Path:
    """A file or folder; ``~`` is the user's home."""
    written = str(value) if isinstance(value, PurePath) else value
    written = _text(written, "a text or a pathlib.Path")
    if "\0" in written:
        raise ValueError("holds a zero byte; write the path of a file or folder")
    try:
        return Path(written).expanduser()
    except RuntimeError:
        raise ValueError("names the home of a user who is not known; write the whole path") from None


def _unreadable(why: str | None) -> ValueError:
    return ValueError(f"names a file that cannot be read ({why}); name a readable file")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
