"""`Documents`: the short way to plain fields that stand in the JSON of attributes.

Derived from the rows of a table, as all of a `Plan` is: of each document only what a field is to be taken
from is decoded, and checked in the same go. A document that is not as the rows have it (cut, no JSON, a list
or a text in the place of a map, a number as text) is left to the long way, which reads it as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, TypedDict, cast

import msgspec

from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.places import Place


class Wanted(NamedTuple):
    """A field that is looked for in several places."""

    field: int
    """Place in the list of all fields."""
    name: str
    places: Sequence[tuple[Place, str]]
    """With their texts, for `sources`; the first that has a value wins."""
    convert: Callable[[Any], Any]
    exact: Any
    """The type of the values that `convert` gives back as they are."""


class _Leaf(NamedTuple):
    """One place of one field."""

    field: int
    name: str
    rank: int
    """Of the places of its field."""
    source: str
    beside: str
    convert: Callable[[Any, SpanView], Any] | None
    """Where the value is not taken as it is."""
    exact: Any
    """The type of a value that needs no longer look."""


_Node = dict[str, Any]
"""Name in a map -> its leaves, or the node below it."""
_Found = tuple[dict[int, Any], dict[str, str]]
"""Field -> value; name of a field -> the place that has the value."""
_SHORT, _FEW = 2_048, 8
"""Characters of documents that are remembered together, and how many are."""


class Documents:
    """Takes the fields whose every place is the value of a name in a map, or an attribute that comes last.

    Short documents are remembered with what they gave: an application has few parameters of requests.
    """

    __slots__ = ("_last", "_nodes", "_remembered", "_remembers", "_texts", "fields")

    def __init__(self, wanted: Sequence[Wanted]) -> None:
        self.fields = frozenset([one.field for one in wanted])
        self._last = [(one, *one.places[-1]) for one in wanted if not one.places[-1][0].path]
        """Fields that are a plain attribute where no document has them."""
        trees: dict[str, _Node] = {}
        for one in wanted:
            for rank, (place, source) in enumerate(one.places):
                if place.path:
                    node = trees.setdefault(place.attribute, {})
                    for step in place.path[:-1]:
                        node = node.setdefault(step, {})
                    leaf = _Leaf(
                        *(one.field, one.name, rank, source, place.beside),
                        _conversion(one, place),
                        _exact(one, place),
                    )
                    node.setdefault(place.path[-1], []).append(leaf)
                    if place.beside:
                        trees[place.attribute].setdefault(place.beside, [])
        converts = any(place.convert for one in wanted for place, _ in one.places)
        self._remembers = not converts  # A conversion may look at the span.
        self._remembered: dict[tuple[str, ...], _Found] = {}
        self._nodes = [
            (attribute, msgspec.json.Decoder(_type_of(node)).decode, node)
            for attribute, node in trees.items()
        ]
        self._texts = _values_at(list(trees))

    def fill(self, fields: list[Any], view: SpanView) -> Mapping[str, str] | None:
        """Put what is found into `fields`; returns their places, or None where it takes a longer look."""
        attributes = view.attributes
        try:
            texts = self._texts(attributes)
            values, places = self._remembered.get(texts) or self._read(texts, view)
        except (ValueError, TypeError, RecursionError):
            return None
        for field, value in values.items():
            fields[field] = value
        for wanted, place, source in self._last:
            if fields[wanted.field] is None:
                value = wanted.convert(attributes[place.attribute])
                if value is not None:
                    fields[wanted.field], places = value, {**places, wanted.name: source}
        return places

    def _read(self, texts: tuple[str, ...], view: SpanView) -> _Found:
        values: dict[int, Any] = {}
        places: dict[str, str] = {}
        best: dict[int, int] = {}
        for text, (_, decode, node) in zip(texts, self._nodes, strict=True):
            _take(decode(text), node, view, (values, places), best)
        # Whoever learns by these names learns once, whatever the order in a document.
        found = values, dict(sorted(places.items()))
        if self._remembers and sum(map(len, texts)) <= _SHORT:
            if len(self._remembered) >= _FEW:
                self._remembered.clear()
            self._remembered[texts] = found
        return found


def _values_at(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Takes one or more values of a map at once."""
    if len(names) == 1:
        return lambda values: (values[names[0]],)
    return itemgetter(*names)


def _take(
    found: Mapping[str, Any],
    node: _Node,
    view: SpanView,
    values: _Found,
    best: dict[int, int],
) -> None:
    for key, value in found.items():
        if value is None:
            continue
        below = node[key]
        if below.__class__ is dict:
            _take(value, below, view, values, best)
            continue
        for field, name, rank, source, beside, convert, _ in below:
            if best.get(field, rank) < rank or (beside and beside not in found):
                continue
            one = value if convert is None else convert(value, view)
            if one is not None:
                values[0][field], best[field], values[1][name] = one, rank, source


def _type_of(node: _Node) -> Any:
    """The type of a map: what is not named is passed over, and a list is left to the long way."""
    types: dict[str, Any] = {}
    for key, below in node.items():
        if isinstance(below, dict):
            is_list = any(map(str.isdecimal, cast("_Node", below)))
            types[key] = None if is_list else _type_of(cast("_Node", below))
        elif not below:
            types[key] = msgspec.Raw
        else:
            types[key] = below[0].exact | None
    return TypedDict("Document", types, total=False)  # type: ignore[operator]


def _exact(wanted: Wanted, place: Place) -> Any:
    return wanted.exact if place.convert is None else str


def _conversion(wanted: Wanted, place: Place) -> Callable[[Any, SpanView], Any] | None:
    first, then = place.convert, wanted.convert
    return None if first is None else lambda value, view: then(first(value, view))


def documents_of(wanted: Sequence[Wanted]) -> Documents | None:
    """The short way to as many of these fields as have one."""
    taken = list(filter(_is_plain, wanted))
    leaves: dict[tuple[str, ...], set[Any]] = {}
    for one in taken:
        for place, _ in one.places:
            if place.path:
                leaves.setdefault((place.attribute, *place.path), set()).add(_exact(one, place))
    odd = {path[0] for path, types in leaves.items() if len(types) > 1}
    odd |= {path[0] for path in leaves for end in range(2, len(path)) if path[:end] in leaves}
    taken = [one for one in taken if odd.isdisjoint([place.attribute for place, _ in one.places])]
    return Documents(taken) if taken else None


def _is_plain(wanted: Wanted) -> bool:
    *others, (last, _) = wanted.places
    return all(_is_of_a_map(place) for place, _ in others) and (
        _is_of_a_map(last) or last == Place(last.attribute)
    )


def _is_of_a_map(place: Place) -> bool:
    is_deep = len(place.path) > 1
    return (
        bool(place.path) and place.event is None and "." not in place.path and not (is_deep and place.beside)
    )
