"""How rows of each kind are called: one table for ``spool status``, its JSON, and the line at an end."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from otel_arthur.arthur.target.records import Kind as KindOfArthur
from otel_arthur.engine.kinds import Kind as KindOfEngine
from otel_arthur.spool.destination import Destination

_KINDS: Final[Mapping[str, type[IntEnum]]] = {"": KindOfArthur, "engine": KindOfEngine}
"""Target, as its destinations have it -> its kinds."""
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
    return {int(kind): kind.name.lower() for kind in _KINDS.get(destination.target, KindOfArthur)}


def name_of(destination: Destination, kind: int) -> str:
    """A kind's name; one that this version does not know has its number."""
    return names_of(destination).get(kind, f"kind {kind}")


def waiting(destination: Destination, kind: int) -> str:
    """The begin of a sentence, as in "Inferences wait"."""
    name = name_of(destination, kind)
    plural = _plural_of(name)
    return f"{plural.capitalize()} {'waits' if plural == name else 'wait'}"


def in_words(counts: Mapping[str, int], like: Mapping[str, int] = MappingProxyType({})) -> str:
    """Counts by name in a sentence, as in "8 inferences and 1 ground truth".

    Args:
        like: counts by name; where all `counts` are 0, the sentence has the first name that counts here.
    """
    parts = [
        f"{count} {name.replace('_', ' ') if count == 1 else _plural_of(name)}"
        for name in [*_PLURALS, *sorted(counts.keys() - _PLURALS.keys())]
        if (count := counts.get(name, 0))
    ]
    none = next((name for name in [*_PLURALS, *sorted(like)] if like.get(name)), "inference")
    return " and ".join(parts) or f"0 {_plural_of(none)}"


def _plural_of(name: str) -> str:
    return _PLURALS.get(name, f"rows of {name}")
