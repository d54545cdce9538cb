"""What the user asked for, read once from arguments and environment.

Resolution, per setting: argument, our variable, the Arthur SDK's variable, default
(OpenTelemetry specification, ``configuration/common.md``). An empty value is unset; a
bad value becomes a `Problem` and the default. Where the value decides what leaves and to
whom (`PROTECTED`), a `Delivery` sends nothing instead. Nothing raises.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from otel_arthur import environment_variables as env
from otel_arthur.configuration_values import (
    FLAG,
    NAMES,
    NUMBER,
    PAIRS,
    PATH,
    ROUTES,
    TEXT,
    UNSET,
    Form,
    Route,
    argument,
    boolean,
    encodable,
    file_content,
    file_name,
    folder,
    megabytes,
    names,
    one_of,
    pairs,
    ratio,
    routes,
    seconds,
    text,
    url,
    whole_number,
    window,
)

DEFAULT_ENDPOINT = "https://app.arthur.ai"
__all__ = ["DEFAULT_ENDPOINT", "INPUT_FORMATS", "Configuration", "Problem", "Route", "default_spool_dir"]

INPUT_FORMATS = ("transcript", "last_user", "json")

PROTECTED: Final = frozenset({"endpoint", "certificate", "insecure", "content", "redact"})
"""Fields that decide where keys and prompts go: no default stands in for a value that cannot be used."""


class Problem(NamedTuple):
    """A value that was set and cannot be used."""

    source: str
    """The variable, or ``argument`` and its name."""
    field: str
    """The field of `Configuration`."""
    what: str
    """What is wrong, and what to write instead; never the value, which may be a secret."""

    @property
    def is_protected(self) -> bool:
        """Whether nothing may be sent because of it."""
        return self.field in PROTECTED

    def __str__(self) -> str:
        return f"{self.source} {'cannot be used' if self.is_protected else 'is ignored'}: {self.what}"


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
    problems: tuple[Problem, ...] = ()
    """One for each variable or argument of a bad value."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, **arguments: Any) -> Configuration:
        """Resolve from `environ` (default: the process's), with arguments that are not None winning.

        Args:
            **arguments: fields, or ``models`` for `routes` and ``spool_max_mb`` for `spool_max_bytes`.
                Each is the text that its variable would hold, or a value of the field's own kind. One of
                a wrong type is a problem too, and as if it were not given; nothing raises.
        """
        source = _Environment(os.environ if environ is None else environ)
        values: dict[str, Any] = {}
        for name, value in arguments.items():
            if value is not None:
                source.take(name, value, values)
        for setting in _SETTINGS:
            if setting.field in values or setting.field in source.unusable:
                continue
            is_set = source.read(setting.variable, setting.parse, setting.field, values)
            if setting.otherwise is not None and not is_set:
                source.read(*setting.otherwise, setting.field, values)
        values.update({name: value for name, value in _WITHHELD.items() if name in source.unusable})
        if "spool_dir" not in values:
            values["spool_dir"] = default_spool_dir()
        return cls(**values, problems=tuple(source.problems))

    def problems_with(self, *fields: str) -> tuple[Problem, ...]:
        """The problems that concern these fields, for a command to which they matter."""
        return tuple(problem for problem in self.problems if problem.field in fields)

    @property
    def unusable(self) -> tuple[Problem, ...]:
        """The problems because of which nothing may be sent."""
        return tuple(problem for problem in self.problems if problem.is_protected)

    @property
    def models(self) -> tuple[str, ...]:
        """The ids of all models that calls may go to."""
        ids = (*(route.model_id for route in self.routes), *filter(None, (self.model_id,)))
        return tuple(dict.fromkeys(ids))

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


class _Environment:
    """Reads variables and arguments, and collects what was wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[Problem] = []

    @property
    def unusable(self) -> set[str]:
        """The protected fields that were set and cannot be used."""
        return {problem.field for problem in self.problems if problem.is_protected}

    def read(self, variable: str, parse: Callable[[str], Any], field: str, values: dict[str, Any]) -> bool:
        """Set `field` from a variable or its fallback, if that is good; whether it is set, good or bad."""
        for name in (variable, env.FALLBACKS.get(variable)):
            text = self._environ.get(name, "").strip() if name else ""
            if name and text:
                try:
                    values[field] = parse(encodable(text))
                except ValueError as error:
                    self.problems.append(Problem(name, field, str(error)))
                return True
        return False

    def take(self, name: str, value: Any, values: dict[str, Any]) -> None:
        """Set a field from an argument, if that is good."""
        known = _ARGUMENTS[name]
        try:
            found = argument(value, known.form, known.parse)
        except ValueError as error:
            self.problems.append(Problem(f"argument {name}", known.field, str(error)))
            return
        if found is not UNSET:
            values[known.field] = found


@dataclass(frozen=True, slots=True)
class _Setting:
    field: str
    variable: str
    parse: Callable[[str], Any]
    form: Form = TEXT
    otherwise: tuple[str, Callable[[str], Any]] | None = None
    """Another variable, of another meaning, where the first says nothing."""


_WITHHELD: Final[Mapping[str, Any]] = {
    "endpoint": "",
    "content": "metadata",
    # Who gave one wanted something masked: a redactor that cannot be used keeps all texts back.
    "redact": ("unusable",),
}
"""What a field holds whose value cannot be used."""
_SETTINGS = (
    _Setting("endpoint", env.OTEL_EXPORTER_ARTHUR_ENDPOINT, url),
    _Setting(
        "api_key",
        env.OTEL_EXPORTER_ARTHUR_API_KEY,
        text,
        otherwise=(env.OTEL_EXPORTER_ARTHUR_API_KEY_FILE, file_content),
    ),
    _Setting("login", env.OTEL_EXPORTER_ARTHUR_LOGIN, text),
    _Setting("password", env.OTEL_EXPORTER_ARTHUR_PASSWORD, text),
    _Setting("organization_id", env.OTEL_EXPORTER_ARTHUR_ORGANIZATION_ID, text),
    _Setting("model_id", env.OTEL_EXPORTER_ARTHUR_MODEL_ID, text),
    _Setting("routes", env.OTEL_EXPORTER_ARTHUR_MODELS, routes, ROUTES),
    _Setting("timeout", env.OTEL_EXPORTER_ARTHUR_TIMEOUT, seconds, NUMBER),
    _Setting("compression", env.OTEL_EXPORTER_ARTHUR_COMPRESSION, one_of("none", "gzip")),
    _Setting("certificate", env.OTEL_EXPORTER_ARTHUR_CERTIFICATE, file_name, PATH),
    _Setting(
        "insecure",
        env.OTEL_EXPORTER_ARTHUR_INSECURE,
        boolean,
        FLAG,
        otherwise=(env.VERIFY_SSL, lambda value: not boolean(value)),
    ),
    _Setting("spool_dir", env.OTEL_EXPORTER_ARTHUR_SPOOL_DIR, folder, PATH),
    _Setting("spool_max_bytes", env.OTEL_EXPORTER_ARTHUR_SPOOL_MAX_MB, megabytes, NUMBER),
    _Setting("spool_max_age", env.OTEL_EXPORTER_ARTHUR_SPOOL_MAX_AGE, seconds, NUMBER),
    _Setting("duplicate_window", env.OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW, window, NUMBER),
    _Setting("input_format", env.OTEL_EXPORTER_ARTHUR_INPUT_FORMAT, one_of(*INPUT_FORMATS)),
    _Setting("attributes", env.OTEL_EXPORTER_ARTHUR_ATTRIBUTES, pairs, PAIRS),
    _Setting("redact", env.OTEL_EXPORTER_ARTHUR_REDACT, names, NAMES),
    _Setting("content", env.OTEL_EXPORTER_ARTHUR_CONTENT, one_of("full", "metadata")),
    _Setting("max_text_length", env.OTEL_EXPORTER_ARTHUR_MAX_TEXT_LENGTH, whole_number, NUMBER),
    _Setting("sample_ratio", env.OTEL_EXPORTER_ARTHUR_SAMPLE_RATIO, ratio, NUMBER),
    _Setting("likelihoods", env.OTEL_EXPORTER_ARTHUR_LIKELIHOODS, boolean, FLAG),
    _Setting("errors", env.OTEL_EXPORTER_ARTHUR_ERRORS, one_of("auto", "skip", "send")),
)
_BY_FIELD = {setting.field: setting for setting in _SETTINGS}
_ARGUMENTS = {
    **_BY_FIELD,
    "models": _BY_FIELD["routes"],
    "spool_max_mb": _BY_FIELD["spool_max_bytes"],
    "spool_max_bytes": replace(_BY_FIELD["spool_max_bytes"], parse=whole_number),
}
"""By the name of the argument; the variable holds megabytes, the field bytes."""
