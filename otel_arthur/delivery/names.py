"""How rows of each kind are called: one table for ``spool status``, its JSON, and the line at an end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from otel_arthur.arthur.target.records import Kind
from otel_arthur.spool.destination import Destination

NAMES: Final = {int(kind): kind.name.lower() for kind in Kind}
"""The platform's kinds by number."""
_OF_TARGETS: Final = {"engine": {1: "span", 2: "root", 3: "feedback"}}
"""Those of other targets."""
_PLURALS: Final = {
    "inference": "inferences",
    "ground_truth": "ground truths",
    "span": "spans",
    "root": "roots",
    "feedback": "feedback",
}
"""In the order in which they are told."""


def names_of(destination: Destination) -> Mapping[int, str]:
    """The kinds of a destination's rows in JSON and tables, by number."""
    return _OF_TARGETS.get(destination.target, NAMES)


def name_of(destination: Destination, kind: int) -> str:
    """A kind's name; one that this version does not know has its number."""
    return names_of(destination).get(kind, f"kind {kind}")


def in_words(counts: Mapping[str, int]) -> str:
    """Counts by name in a sentence, as in "8 inferences and 1 ground truth"."""
    parts = [
        f"{count} {name.replace('_', ' ') if count == 1 else _PLURALS.get(name, f'rows of {name}')}"
        for name in [*_PLURALS, *sorted(counts.keys() - _PLURALS.keys())]
        if (count := counts.get(name, 0))
    ]
    return " and ".join(parts) or "0 inferences"
