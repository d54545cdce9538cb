"""Functions that copy values from known places of a list or tuple.

Compiled from the places, which are numbers, as `collections.namedtuple` compiles its class. CPython runs such
a function in two thirds of the time that an `operator.itemgetter` takes, and constants, tuples and dicts need
no place beside the values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

_Values = Sequence[Any]


class Copy(NamedTuple):
    """A value that is copied from a place."""

    place: int


class Made(NamedTuple):
    """What a callable makes of parts, by position."""

    make: Callable[..., Any]
    parts: Sequence[Any]


def listed(parts: Sequence[Any]) -> Callable[[_Values], list[Any]]:
    """Lists `parts`, each a `Copy`, a tuple or dict of such, `Made` of such, or always the same."""
    fixed: dict[str, Any] = {}
    return eval(f"lambda values: [{_sources(parts, fixed)}]", fixed)


def made(*parts: Any) -> Callable[[_Values], Any]:
    """Makes a tuple of `parts`, as of `listed`."""
    fixed: dict[str, Any] = {}
    return eval(f"lambda values: ({_sources(parts, fixed)})", fixed)


def copies_in(parts: Sequence[Any]) -> Iterator[Copy]:
    """The copies among `parts`, as of `listed`, and in their tuples."""
    for part in parts:
        if isinstance(part, Copy):
            yield part
        elif type(part) is tuple:
            yield from copies_in(cast("Sequence[Any]", part))


def _sources(parts: Sequence[Any], fixed: dict[str, Any]) -> str:
    return "".join([f"{_source(part, fixed)}, " for part in parts])


def _source(part: Any, fixed: dict[str, Any]) -> str:
    """A part as source; what is always the same is put into `fixed`, the global names of the function."""
    if isinstance(part, Copy):
        return f"values[{part.place:d}]"
    if part is None:
        return "None"
    if isinstance(part, Made):
        return f"{_name(part.make, fixed)}({_sources(part.parts, fixed)})"
    if type(part) is tuple:
        return f"({_sources(cast('Sequence[Any]', part), fixed)})"
    if type(part) is dict:
        # The names are constants of the function.
        items = cast("Mapping[str, Any]", part).items()
        return "{" + "".join([f"{name!r}: {_source(one, fixed)}, " for name, one in items]) + "}"
    return _name(part, fixed)


def _name(value: Any, fixed: dict[str, Any]) -> str:
    name = f"fixed_{len(fixed)}"
    fixed[name] = value
    return name
