"""Functions that copy values from known places of a list or tuple.

Compiled from the places, which are numbers, as `collections.namedtuple` compiles its class. CPython runs such
a function in two thirds of the time that an `operator.itemgetter` takes, and constants and tuples need no
place beside the values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar, cast

_Made = TypeVar("_Made")
_Values = Sequence[Any]


class Copy(NamedTuple):
    """A value that is copied from a place."""

    place: int


def listed(parts: Sequence[Any]) -> Callable[[_Values], list[Any]]:
    """Lists `parts`, each a `Copy`, a tuple of such, or always the same."""
    fixed: dict[str, Any] = {}
    return eval(f"lambda values: [{_source(parts, fixed)}]", fixed)


def made(make: Callable[..., _Made], parts: Sequence[Any]) -> Callable[[_Values], _Made]:
    """Gives `parts`, as of `listed`, to `make` by position."""
    fixed: dict[str, Any] = {"make": make}
    return eval(f"lambda values: make({_source(parts, fixed)})", fixed)


def _source(parts: Sequence[Any], fixed: dict[str, Any]) -> str:
    """Parts as source; what is always the same is put into `fixed`, the global names of the function."""
    sources: list[str] = []
    for part in parts:
        if isinstance(part, Copy):
            sources.append(f"values[{part.place:d}]")
        elif part is None:
            sources.append("None")
        elif type(part) is tuple:
            sources.append(f"({_source(cast('Sequence[Any]', part), fixed)})")
        else:
            name = f"fixed_{len(fixed)}"
            fixed[name] = part
            sources.append(name)
    return "".join([f"{source}, " for source in sources])
