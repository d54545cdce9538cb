"""What of OTLP cannot be read: the kinds of bad parts, those of a file (`Spoiled`), and the error where
nothing can be read."""

from __future__ import annotations

from collections import Counter
from typing import Final

MAX_LEVELS: Final = 80
"""Of messages inside one value; lists take two for each level, maps three."""

TEXT: Final = "a text that is no UTF-8: its bad bytes are U+FFFD"
DEEP: Final = "a value that is nested too deep: it is left out"
RECORD: Final = "a record that is no valid protobuf: it is passed over"
UNFIT: Final = "a record that does not fit"
HINT: Final = "export it with a Collector's file exporter, or save the body of an OTLP request"


class OTLPError(ValueError):
    """The bytes are not an OTLP export; the message says what they seem to be."""


class Spoiled:
    """The parts of a file that could not be read: how many, and the first of each kind by name."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def add(self, kind: str, example: str = "", count: int = 1) -> None:
        """Count what was passed over, and name the first."""
        self.counts[kind] += count
        self._examples.setdefault(kind, example)

    def __str__(self) -> str:
        return "; ".join(
            f"{count} x {kind}" + (f", as {example}" if (example := self._examples[kind]) else "")
            for kind, count in self.counts.items()
        )
