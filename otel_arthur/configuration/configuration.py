"""`Configuration`: all that a user can set, resolved once. Its fields are the table of settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from otel_arthur.configuration.clear_text import refuse_clear_text
from otel_arthur.configuration.engine import ENGINE_SETTINGS, EngineConfiguration, engine_of
from otel_arthur.configuration.kinds import (
    Route,
    boolean,
    file_name,
    folder,
    megabytes,
    names,
    negated,
    one_of,
    pairs,
    ratio,
    routes,
    seconds,
    secret_in_file,
    text,
    url,
    whole_number,
    window,
)
from otel_arthur.configuration.resolution import Problem, is_set, resolve, unknown
from otel_arthur.configuration.setting import Setting, setting, settings_of, without_fallback

DEFAULT_ENDPOINT: Final = "https://app.arthur.ai"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything configurable, resolved. Secrets are kept out of ``repr``.

    A field made by `setting` is a row of the table of settings: to add one here is to add the variable, the
    argument, the key in the collector's YAML, and the rows in the documentation (``make tables``).
    """

    endpoint: str = setting(
        url,
        DEFAULT_ENDPOINT,
        "Arthur's base URL; `http://` only to this machine, or where `insecure` is true",
        fallback="ARTHUR_ENDPOINT_URL",
        unusable="",
    )
    api_key: str | None = setting(
        text, None, "the API key", fallback="ARTHUR_API_KEY", file=secret_in_file, is_secret=True
    )
    login: str | None = setting(text, None, "with a password, instead of a key", fallback="ARTHUR_LOGIN")
    password: str | None = setting(
        text, None, "the password of the login", fallback="ARTHUR_PASSWORD", is_secret=True
    )
    organization_id: str | None = setting(
        text, None, "the organisation", shown="asked from the API", fallback="ARTHUR_ORGANIZATION_ID"
    )
    model_id: str | None = setting(
        text, None, "the Arthur model that gets the inferences", fallback="ARTHUR_MODEL_ID", key=""
    )
    routes: tuple[Route, ...] = setting(
        routes,
        (),
        "`pattern=model_id,…`: by `service.name` or request model, first match wins",
        name="models",
        key="",
    )
    timeout: float = setting(seconds, 10.0, "seconds for one request")
    exit_timeout: float = setting(
        seconds,
        30.0,
        "seconds that the end of a process waits at most; it waits no longer than 3 s after the last row "
        "that Arthur accepted",
    )
    compression: str = setting(one_of("none", "gzip"), "none", "`gzip` compresses requests")
    certificate: str | None = setting(
        file_name, None, "a PEM file of certificate authorities", shown="the system's", unusable=None
    )
    insecure: bool = setting(
        boolean,
        False,
        "allows plain `http://` and skips certificate checks",
        fallback=("VERIFY_SSL", negated),
        unusable=False,
    )
    spool_dir: Path | None = setting(
        folder,
        None,
        "where unsent inferences wait; `off` keeps them in memory",
        shown="the user's state folder",
        key="spool.directory",
    )
    spool_max_bytes: int = setting(
        megabytes,
        512 * 1024 * 1024,
        "the size of the spool at most; a full spool refuses new rows",
        name="spool_max_mb",
        shown="`512`",
    )
    spool_max_age: float | None = setting(
        seconds, None, "seconds after which an unsent inference is given up", shown="for ever"
    )
    duplicate_window: float = setting(
        window,
        10.0,
        "seconds that an inference waits for a second instrumentation's span of the same call; 0 for none",
    )
    input_format: str = setting(
        one_of("transcript", "last_user", "json"),
        "transcript",
        "`last_user` (the last user message), `json` (messages as JSON)",
    )
    attributes: Mapping[str, str] = setting(
        pairs, dict[str, str](), "`arthur_attribute=span.or.resource.attribute,…`: your own fields"
    )
    redact: tuple[str, ...] = setting(
        names,
        (),
        "`email`, `card`, `key`, or the dotted path of a callable, separated by commas",
        # Somebody wanted something masked: a name that is no redactor keeps all texts back.
        unusable=("unusable",),
    )
    content: str = setting(one_of("full", "metadata"), "full", "`metadata`: no texts", unusable="metadata")
    max_text_length: int | None = setting(
        whole_number, None, "characters after which a text is cut and flagged `truncated`", shown="no limit"
    )
    sample_ratio: float = setting(
        ratio, 1.0, "share of traces, by trace id, on top of the tracer's sampling", shown="`1.0`"
    )
    likelihoods: bool = setting(
        boolean, False, "record token likelihoods and time to first token from LangChain", key=""
    )
    errors: str = setting(
        one_of("auto", "skip", "send"),
        "auto",
        "failed calls: sent when the model has `status` or `error_type`; `skip`; `send`",
    )
    flush_on_sigterm: bool | None = setting(
        boolean,
        None,
        "`false`: a process that SIGTERM ends does not export its spans first. With `true`, a process in a "
        "long call of a C extension ends only after that call",
        shown="`true` where we set the SDK up",
        key="",
    )
    is_v3_target: bool = True
    """Whether calls go to the v3 platform: its endpoint or a model is set, or the Engine is no target."""
    engine: EngineConfiguration | None = None
    """The Engine, where calls go there."""
    problems: tuple[Problem, ...] = ()
    """One for each variable or argument that cannot be used, or is no setting."""
    notes: tuple[str, ...] = ()
    """Lines that a process says once: what is set and has no effect."""

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str] | None = None, is_v3_target: bool = False, /, **arguments: Any
    ) -> Configuration:
        """Resolve from arguments and from `environ` (default: the process's). Never raises.

        Args:
            is_v3_target: the v3 platform is a target, whatever is set.
            **arguments: by the names of the settings; each is the text that the variable would hold, or a
                Python value. None is unset.
        """
        environ = os.environ if environ is None else environ
        rows = _V3_SETTINGS
        is_v3 = is_v3_target or is_set((row for row in rows if row.field in _V3), environ, arguments)
        engine, engine_problems, note = engine_of(environ, arguments, is_beside_v3=is_v3)
        if engine is not None and not is_v3:
            # The key is the Engine's: no command may take it to the v3 platform.
            rows = without_fallback(rows, "api_key")
        values, problems = resolve(rows, environ, arguments)
        problems += refuse_clear_text(rows, values, environ, arguments)
        misspelt = unknown(SETTINGS, environ, arguments)
        held = {problem.setting for problem in misspelt if problem.is_protected}
        values.update((row.field, row.unusable) for row in rows if row.name in held)
        values.setdefault("spool_dir", default_spool_dir())
        return cls(
            **values,
            is_v3_target=is_v3 or engine is None,
            engine=engine,
            problems=(*problems, *engine_problems, *misspelt),
            notes=() if note is None else (note,),
        )

    def problems_with(self, *settings: str) -> tuple[Problem, ...]:
        """The problems that concern these settings, for a command to which they matter."""
        return tuple(problem for problem in self.problems if problem.setting in settings)

    @property
    def unusable(self) -> tuple[Problem, ...]:
        """The problems because of which nothing may be sent."""
        return tuple(problem for problem in self.problems if problem.is_protected)

    @property
    def models(self) -> tuple[str, ...]:
        ids = (*(route.model_id for route in self.routes), *filter(None, (self.model_id,)))
        return tuple(dict.fromkeys(ids))

    @property
    def missing(self) -> str | None:
        """One line that says what must be set before anything can be sent, or None when complete."""
        of_engine = None if self.engine is None else self.engine.missing
        if not self.is_v3_target or of_engine is not None:
            return of_engine
        lacking: list[str] = []
        if not self.api_key and not (self.login and self.password):
            lacking.append(
                "OTEL_EXPORTER_ARTHUR_API_KEY (or OTEL_EXPORTER_ARTHUR_LOGIN and "
                "OTEL_EXPORTER_ARTHUR_PASSWORD)"
            )
        if not self.model_id and not self.routes:
            lacking.append(
                "OTEL_EXPORTER_ARTHUR_MODEL_ID (`otel-arthur onboard NAME` creates a model and prints its id)"
            )
        return f"set {' and '.join(lacking)}" if lacking else None


_V3_SETTINGS: Final[tuple[Setting, ...]] = settings_of(Configuration)
_V3: Final = ("endpoint", "model_id", "routes")
"""Fields that make the v3 platform a target, where one of them is set."""
SETTINGS: Final = (*_V3_SETTINGS, *ENGINE_SETTINGS)
"""The table."""
PROTECTED: Final = tuple(setting.name for setting in SETTINGS if setting.is_protected)
"""The settings that say where keys and prompts go."""


def default_spool_dir() -> Path:
    """The user's state folder for otel-arthur, as platformdirs gives it.

    Where nobody knows the user's home, the folder for temporary files, in which the spool makes its own.
    """
    import platformdirs

    try:
        folder = Path(platformdirs.user_state_dir("otel-arthur", appauthor=False)) / "spool"
    except Exception:  # a user without a name and a home: as many errors as ways to ask for them
        folder = Path()
    return folder if folder.is_absolute() else _temporary_folder()


def _temporary_folder() -> Path:
    import tempfile

    try:
        return Path(tempfile.gettempdir())
    except OSError:
        return Path(os.devnull)  # no folder at all: the spool says so, and calls are kept in memory
