"""What the user asked for, read once from arguments and environment.

Resolution, per setting: argument, our variable, the Arthur SDK's variable, default
(OpenTelemetry specification, ``configuration/common.md``). An empty value is unset; a
bad value becomes a line in `Configuration.problems` and the default. Nothing raises.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from otel_arthur import environment_variables as env

DEFAULT_ENDPOINT = "https://app.arthur.ai"
INPUT_FORMATS = ("transcript", "last_user", "json")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Route:
    """Calls whose ``service.name`` or request model matches `pattern` go to `model_id`."""

    pattern: str
    """A shell-style pattern, as in ``support-*``."""
    model_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything configurable, resolved. Secrets are kept out of ``repr``."""

    endpoint: str = DEFAULT_ENDPOINT
    api_key: str | None = field(default=None, repr=False)
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    organization_id: str | None = None
    model_id: str | None = None
    routes: tuple[Route, ...] = ()
    timeout: float = 10.0
    """Seconds for one request."""
    compression: str = "none"
    certificate: str | None = None
    insecure: bool = False
    spool_dir: Path | None = None
    """None keeps the spool in memory (``off``)."""
    spool_max_bytes: int = 512 * 1024 * 1024
    spool_max_age: float | None = None
    duplicate_window: float = 10.0
    """Seconds that an inference waits for another description of its call; 0 for none."""
    input_format: str = "transcript"
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    """Arthur attribute -> span or resource attribute."""
    redact: tuple[str, ...] = ()
    content: str = "full"
    max_text_length: int | None = None
    sample_ratio: float = 1.0
    likelihoods: bool = False
    errors: str = "auto"
    problems: tuple[str, ...] = ()
    """One line for each variable that had a bad value, naming it, the value's form and the default used."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, **arguments: Any) -> Configuration:
        """Resolve from `environ` (default: the process's), with arguments that are not None winning."""
        source = _Environment(os.environ if environ is None else environ)
        values: dict[str, Any] = {
            "endpoint": source.read(env.OTEL_EXPORTER_ARTHUR_ENDPOINT, _url, DEFAULT_ENDPOINT),
            "api_key": source.text(env.OTEL_EXPORTER_ARTHUR_API_KEY)
            or source.read(env.OTEL_EXPORTER_ARTHUR_API_KEY_FILE, _file_content, None),
            "login": source.text(env.OTEL_EXPORTER_ARTHUR_LOGIN),
            "password": source.text(env.OTEL_EXPORTER_ARTHUR_PASSWORD),
            "organization_id": source.text(env.OTEL_EXPORTER_ARTHUR_ORGANIZATION_ID),
            "model_id": source.text(env.OTEL_EXPORTER_ARTHUR_MODEL_ID),
            "routes": source.read(env.OTEL_EXPORTER_ARTHUR_MODELS, _routes, ()),
            "timeout": source.read(env.OTEL_EXPORTER_ARTHUR_TIMEOUT, _positive_number, 10.0),
            "compression": source.read(env.OTEL_EXPORTER_ARTHUR_COMPRESSION, _one_of("none", "gzip"), "none"),
            "certificate": source.text(env.OTEL_EXPORTER_ARTHUR_CERTIFICATE),
            "insecure": source.insecure(),
            "spool_dir": source.read(env.OTEL_EXPORTER_ARTHUR_SPOOL_DIR, _folder, _DEFAULT_FOLDER),
            "spool_max_bytes": source.read(env.OTEL_EXPORTER_ARTHUR_SPOOL_MAX_MB, _megabytes, 512 * 1024**2),
            "spool_max_age": source.read(env.OTEL_EXPORTER_ARTHUR_SPOOL_MAX_AGE, _positive_number, None),
            "duplicate_window": source.read(env.OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW, _window, 10.0),
            "input_format": source.read(
                env.OTEL_EXPORTER_ARTHUR_INPUT_FORMAT, _one_of(*INPUT_FORMATS), "transcript"
            ),
            "attributes": source.read(env.OTEL_EXPORTER_ARTHUR_ATTRIBUTES, _pairs, {}),
            "redact": source.read(env.OTEL_EXPORTER_ARTHUR_REDACT, _names, ()),
            "content": source.read(env.OTEL_EXPORTER_ARTHUR_CONTENT, _one_of("full", "metadata"), "full"),
            "max_text_length": source.read(env.OTEL_EXPORTER_ARTHUR_MAX_TEXT_LENGTH, _positive_integer, None),
            "sample_ratio": source.read(env.OTEL_EXPORTER_ARTHUR_SAMPLE_RATIO, _ratio, 1.0),
            "likelihoods": source.read(env.OTEL_EXPORTER_ARTHUR_LIKELIHOODS, _boolean, False),
            "errors": source.read(env.OTEL_EXPORTER_ARTHUR_ERRORS, _one_of("auto", "skip", "send"), "auto"),
        }
        for name, value in arguments.items():
            if value is None:
                continue
            parse = _ARGUMENT_PARSERS.get(name)
            if parse is not None and isinstance(value, str):
                value = source.parse(f"argument {name}", value, parse, values[name])
            values[name] = value
        if values["spool_dir"] is _DEFAULT_FOLDER:
            values["spool_dir"] = default_spool_dir()
        return cls(**values, problems=tuple(source.problems))

    @property
    def missing(self) -> str | None:
        """One line that says what must be set before anything can be sent, or None when complete."""
        lacking: list[str] = []
        if not self.api_key and not (self.login and self.password):
            lacking.append(
                f"{env.OTEL_EXPORTER_ARTHUR_API_KEY} (or {env.OTEL_EXPORTER_ARTHUR_LOGIN} and "
                f"{env.OTEL_EXPORTER_ARTHUR_PASSWORD})"
            )
        if not self.model_id and not self.routes:
            lacking.append(
                f"{env.OTEL_EXPORTER_ARTHUR_MODEL_ID} (`otel-arthur onboard NAME` creates a model "
                "and prints its id)"
            )
        return f"set {' and '.join(lacking)}" if lacking else None


def default_spool_dir() -> Path:
    """The user's state folder for otel-arthur (platformdirs decides where that is)."""
    import platformdirs

    return Path(platformdirs.user_state_dir("otel-arthur", appauthor=False)) / "spool"


_DEFAULT_FOLDER = Path("\0default")


class _Environment:
    """Reads variables and collects what was wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def text(self, name: str) -> str | None:
        value = self._environ.get(name, "").strip()
        fallback = env.FALLBACKS.get(name)
        if not value and fallback is not None:
            value = self._environ.get(fallback, "").strip()
        return value or None

    def read(self, name: str, parse: Callable[[str], _T], default: _T) -> _T:
        value = self.text(name)
        return default if value is None else self.parse(name, value, parse, default)

    def parse(self, name: str, value: str, parse: Callable[[str], _T], default: _T) -> _T:
        try:
            return parse(value)
        except ValueError as error:
            self.problems.append(f"{name} is ignored: {error}")
            return default

    def insecure(self) -> bool:
        if self.text(env.OTEL_EXPORTER_ARTHUR_INSECURE) is not None:
            return self.read(env.OTEL_EXPORTER_ARTHUR_INSECURE, _boolean, False)
        return not self.read(env.VERIFY_SSL, _boolean, True)


def _url(value: str) -> str:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - the property raises on a port that is no number
    except ValueError:
        raise ValueError("it is not a URL; write it as https://host") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it must be a URL that begins with https:// or http://, as in https://app.arthur.ai")
    return value.rstrip("/")


def _file_content(value: str) -> str | None:
    try:
        content = Path(value).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"the file cannot be read ({type(error).__name__}); name a readable text file"
        ) from None
    if not content:
        raise ValueError("the file is empty; put the API key into it")
    return content


def _positive_number(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        raise ValueError("it must be a number of seconds, as in 10 or 2.5") from None
    if not 0 < number < 1e9:
        raise ValueError("it must be greater than 0")
    return number


def _window(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 3600:
        raise ValueError("it must be a number of seconds from 0 to 3600")
    return number


def _positive_integer(value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) == 0:
        raise ValueError("it must be a whole number greater than 0")
    return int(value)


def _megabytes(value: str) -> int:
    return int(_positive_number(value) * 1024 * 1024)


def _ratio(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= 1.0:
        raise ValueError("it must be a number from 0 to 1")
    return number


def _boolean(value: str) -> bool:
    lowered = value.lower()
    if lowered in ("true", "1", "yes", "on"):
        return True
    if lowered in ("false", "0", "no", "off"):
        return False
    raise ValueError("it must be true or false")


def _one_of(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.lower() not in allowed:
            raise ValueError(f"it must be one of {', '.join(allowed)}")
        return value.lower()

    return parse


def _folder(value: str) -> Path | None:
    return None if value.lower() == "off" else Path(value).expanduser()


def _names(value: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",") if name.strip())


def _pairs(value: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for item in _names(value):
        left, equals, right = item.partition("=")
        if not (equals and left.strip() and right.strip()):
            raise ValueError("each item must have the form name=value, separated by commas")
        pairs[left.strip()] = right.strip()
    return pairs


def _routes(value: str) -> tuple[Route, ...]:
    return tuple(Route(pattern, model_id) for pattern, model_id in _pairs(value).items())


_ARGUMENT_PARSERS: dict[str, Callable[[str], Any]] = {
    "endpoint": _url,
    "routes": _routes,
    "spool_dir": _folder,
    "attributes": _pairs,
    "redact": _names,
    "compression": _one_of("none", "gzip"),
    "input_format": _one_of(*INPUT_FORMATS),
    "content": _one_of("full", "metadata"),
    "errors": _one_of("auto", "skip", "send"),
}
"""Arguments may be given as the text that the variable would hold (declarative configuration does)."""
