"""What the doctor found: each finding has a level, a topic, one sentence, and perhaps the next command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from otel_arthur.cli.terminal.output import print_json, put, styled

GREEN, YELLOW, RED = "green", "yellow", "red"
_ORDER: Final = (GREEN, YELLOW, RED)


@dataclass(slots=True)
class Report:
    """Findings, each printed when it is made; or all of them at the end, as one JSON object."""

    as_json: bool
    findings: list[dict[str, str | None]] = field(default_factory=list[dict[str, str | None]])
    models: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])

    def well(self, topic: str, text: str, fix: str | None = None) -> None:
        """Something is as it should be; `fix` is the next command, or the line to set."""
        self._add(GREEN, topic, text, fix)

    def doubt(self, topic: str, text: str, fix: str | None = None) -> None:
        """Something works, and calls may be missed; `fix` as in `well`."""
        self._add(YELLOW, topic, text, fix)

    def fault(self, topic: str, text: str, fix: str | None = None) -> None:
        """Something loses calls; `fix` as in `well`."""
        self._add(RED, topic, text, fix)

    def _add(self, level: str, topic: str, text: str, fix: str | None) -> None:
        self.findings.append({"level": level, "topic": topic, "text": text, "next": fix})
        if not self.as_json:
            put(styled([[(f"{level:6}", level), (f"  {topic:16}  {text}", "")]]))
            if fix:
                put(styled([[(" " * 26 + "→ ", "dim"), (fix, "bold")]]))

    @property
    def level(self) -> str:
        """The worst of all."""
        return max((str(one["level"]) for one in self.findings), key=_ORDER.index, default=GREEN)

    def end(self) -> None:
        """Print what has not been printed."""
        if self.as_json:
            print_json({"level": self.level, "findings": self.findings, "models": self.models})
