"""`Waiting`: what waits for its other part, by span, bounded by count and bytes; `size_of` measures it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from sys import getsizeof, maxsize
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

from msgspec import Struct

from otel_arthur.genai.span import SpanKey

_T = TypeVar("_T")
_NUMBERS: Final = frozenset({int, float, bool, type(None)})
_SMALL: Final = 56
"""Bytes of a text's own, about; a number takes less."""
_SEQUENCES: Final = (list, tuple)
_MAPPINGS: Final = (dict, Mapping)  # a dict is told at once, by the first


class Age(NamedTuple):
    """What is known of a value that waits."""

    since: float
    size: int


class Waiting(Generic[_T]):
    """Values by span, the oldest first. All that comes and goes is counted here, so the sum is right."""

    __slots__ = ("by_key", "max_bytes", "max_count", "size")

    def __init__(self, max_bytes: int, max_count: int = maxsize) -> None:
        self.max_bytes = max_bytes
        self.max_count = max_count
        # The oldest go all the time: a dict would look for its first key past all that have gone.
        self.by_key: OrderedDict[SpanKey, tuple[_T, Age]] = OrderedDict()
        """To look into; changed here alone."""
        self.size = 0
        """Bytes of all values, about."""

    def put(self, key: SpanKey, value: _T, age: Age) -> list[_T]:
        """Keep a value in the place of an earlier one; returns the oldest, given up, where it is too much.

        A value that is too large alone is given up itself.
        """
        self.take(key)
        self.by_key[key] = value, age
        self.size += age.size
        given_up: list[_T] = []
        while len(self.by_key) > self.max_count or self.size > self.max_bytes:
            given_up.append(self._take_oldest())
        return given_up

    def take(self, key: SpanKey) -> tuple[_T, Age] | None:
        """A value that waits no more."""
        found = self.by_key.pop(key, None)
        if found is not None:
            self.size -= found[1].size
        return found

    def take_old(self, now: float, seconds: float) -> list[_T]:
        """The values that have waited for so long, up to the first one that has not."""
        old: list[_T] = []
        while self.by_key and now - next(iter(self.by_key.values()))[1].since >= seconds:
            old.append(self._take_oldest())
        return old

    def take_all(self) -> list[_T]:
        """All values."""
        values = [value for value, _ in self.by_key.values()]
        self.by_key.clear()
        self.size = 0
        return values

    def _take_oldest(self) -> _T:
        _, (value, age) = self.by_key.popitem(last=False)
        self.size -= age.size
        return value


def size_of(value: Any) -> int:
    """About how many bytes a value holds on to, to bound memory by: all that is in it, at any depth.

    The parts of a container that is met twice count once, so one that holds itself has a size too.
    """
    size, left, met = 0, list[Any]([(value,)]), dict[int, Any]()
    while left:
        one = left.pop()
        if id(one) in met:
            continue
        met[id(one)] = one  # alive, so that no other one gets its id
        for part in _parts(one):
            kind = part.__class__
            if kind is str:
                # One character of four bytes makes each of its text take four.
                size += _SMALL + len(part) if part.isascii() else getsizeof(part)
            elif kind in _NUMBERS:
                size += _SMALL
            else:
                size += getsizeof(part, _SMALL)
                left.append(part)
    return size


def _parts(value: Any) -> Sequence[Any]:
    if isinstance(value, Struct):
        return [getattr(value, name) for name in value.__struct_fields__]
    if isinstance(value, _SEQUENCES):
        return cast("Sequence[Any]", value)
    if isinstance(value, _MAPPINGS):
        mapping = cast("Mapping[Any, Any]", value)
        return [*mapping, *mapping.values()]
    return ()
