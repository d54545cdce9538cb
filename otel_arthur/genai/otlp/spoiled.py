"""`Spoiled`: the parts of a file that could not be read and were passed over."""

from __future__ import annotations

from collections import Counter


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
