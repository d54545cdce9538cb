"""`EngineConfiguration`: the settings of the Arthur Engine as a target, beside the v3 platform or alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from otel_arthur.configuration.clear_text import refuse_clear_text
from otel_arthur.configuration.kinds import boolean, file_name, one_of, seconds, secret_in_file, text, url
from otel_arthur.configuration.resolution import Problem, resolve
from otel_arthur.configuration.setting import Setting, setting, settings_of, without_fallback


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfiguration:
    """Where the Engine is, and what goes there. Each field is a row of the table of settings."""

    endpoint: str = setting(
        url,
        "",
        "the Arthur Engine's base URL: the Engine is a target where it is set",
        shown="",
        fallback="ARTHUR_BASE_URL",
        unusable="",
    )
    api_key: str | None = setting(
        text, None, "the Engine's API key", fallback="ARTHUR_API_KEY", file=secret_in_file, is_secret=True
    )
    task_id: str | None = setting(
        text, None, "the Engine's task", shown="the task of `service.name`", fallback="ARTHUR_TASK_ID"
    )
    spans: str = setting(
        one_of("traces", "calls"),
        "traces",
        "`traces`: each GenAI span, and the spans above in its process; `calls`: each call alone, as a root",
    )
    remote_parent: str = setting(
        one_of("cut", "keep"),
        "cut",
        "a parent span in another service: `keep` it where that service sends to the Engine too",
    )
    doubt: float = setting(
        seconds,
        30.0,
        "seconds after a lost answer until the Engine is asked which spans it has, and gets the others again",
    )
    in_doubt: str = setting(
        one_of("send", "leave"),
        "send",
        "calls whose answer was lost, where the key may not ask: `send` them again, and the Engine may have "
        "some twice, or `leave` them, and it may lack some",
    )
    certificate: str | None = setting(
        file_name,
        None,
        "a PEM file of certificate authorities, for the Engine alone",
        shown="the system's",
        unusable=None,
    )
    insecure: bool = setting(
        boolean,
        False,
        "allows plain `http://` to the Engine and skips its certificate checks, for the Engine alone",
        unusable=False,
    )

    @property
    def missing(self) -> str | None:
        """One line that says what must be set before anything can be sent, or None when complete."""
        return None if self.api_key else "set OTEL_EXPORTER_ARTHUR_ENGINE_API_KEY"


ENGINE_SETTINGS: Final[tuple[Setting, ...]] = settings_of(EngineConfiguration, "engine")
"""The rows of the Engine."""

BESIDE_V3: Final = (
    "ARTHUR_BASE_URL does not make the Arthur Engine a target beside the v3 platform; where calls should go "
    "to both, set OTEL_EXPORTER_ARTHUR_ENGINE_ENDPOINT and OTEL_EXPORTER_ARTHUR_ENGINE_API_KEY"
)


def engine_of(
    environ: Mapping[str, str], arguments: Mapping[str, Any], *, is_beside_v3: bool
) -> tuple[EngineConfiguration | None, list[Problem], str | None]:
    """The Engine as a target, the problems, and a line to say.

    Args:
        is_beside_v3: the v3 platform is a target. Then ``ARTHUR_BASE_URL`` and ``ARTHUR_API_KEY`` are not
            read: a team's v3 key and prompts must not go to another place after an upgrade.

    Returns:
        None for the Engine where it is no target.
    """
    rows = ENGINE_SETTINGS
    if is_beside_v3:
        rows = without_fallback(rows, "engine_endpoint", "engine_api_key")
    values, problems = resolve(rows, environ, arguments)
    problems += refuse_clear_text(rows, values, environ, arguments)
    if "endpoint" in values:
        return EngineConfiguration(**values), problems, None
    is_said = is_beside_v3 and environ.get("ARTHUR_BASE_URL", "").strip()
    # No target, so nothing can go to a wrong place.
    problems = [problem._replace(is_protected=False) for problem in problems]
    return None, problems, BESIDE_V3 if is_said else None
