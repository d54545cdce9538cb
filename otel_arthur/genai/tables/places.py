"""Where a value stands on a span, as a row of a dialect's table says it.

A place is written as text: ``attribute``, or ``attribute#path.into.its.json`` (numbers count list items),
or ``@event/attribute`` with or without a path. What has to be computed is a `Place` with a conversion,
made by one of the functions below, so that a table stays a table.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias, cast

import orjson

from otel_arthur.genai.json_text import parse_json
from otel_arthur.genai.span import SpanView


class Place(NamedTuple):
    """An attribute of the span or of an event, a path into its JSON, and a conversion."""

    attribute: str
    path: tuple[str, ...] = ()
    event: str | None = None
    convert: Callable[[Any, SpanView], Any] | None = None
    beside: str = ""
    """A name that the map in the attribute must have, so that an answer in JSON is not taken for it."""

    def __str__(self) -> str:
        event = "" if self.event is None else f"@{self.event}/"
        return event + "#".join([self.attribute, ".".join(self.path)][: 1 + bool(self.path)])


Row: TypeAlias = tuple["str | Place", ...]
"""The places of one field, in order: the first that has a value of the field's type wins."""
Table: TypeAlias = Mapping[str, Row]
"""Field -> row."""


def place_of(written: str | Place) -> Place:
    """A place from its text."""
    if isinstance(written, Place):
        return written
    event, _, rest = written[1:].rpartition("/") if written.startswith("@") else (None, "", written)
    attribute, _, path = rest.partition("#")
    return Place(attribute, tuple(path.split(".")) if path else (), event)


def joined(*tables: Table) -> dict[str, Row]:
    """One table of several: per field, the places of the first table come first."""
    fields = dict.fromkeys(field for table in tables for field in table)
    return {field: tuple(place for table in tables for place in table.get(field, ())) for field in fields}


def within(attribute: str, table: Mapping[str, tuple[str, ...]], under: str = "") -> dict[str, Row]:
    """A table of paths, as rows of the JSON in `attribute` (below the path `under`)."""
    start = f"{attribute}#{under}." if under else f"{attribute}#"
    return {field: tuple(f"{start}{path}" for path in paths) for field, paths in table.items()}


def converted(written: str, convert: Callable[[Any], Any]) -> Place:
    """A place whose value is converted before its field's own conversion."""

    def of_value(value: Any, _: SpanView) -> Any:
        return convert(value)

    return place_of(written)._replace(convert=of_value)


def milliseconds(written: str) -> Place:
    """A time in milliseconds, for a field in seconds."""
    return converted(written, lambda value: _thousandth(value))


def beginning(written: str, separator: str) -> Place:
    """What stands before the first `separator` in a text, as in ``openai.chat``."""
    return converted(written, lambda value: value.partition(separator)[0] if isinstance(value, str) else None)


def unless(written: str, *absent: str) -> Place:
    """A value that some writers replace by a word when there is none, as ``none``."""
    return converted(written, lambda value: None if value in absent else value)


def unquoted(written: str) -> Place:
    """A text that its writer encodes as JSON, or not."""
    return converted(written, lambda value: value.strip('"') if isinstance(value, str) else None)


def matched(written: str, pattern: str) -> Place:
    """The first group of `pattern` at the beginning of a text."""
    compiled = re.compile(pattern)

    def convert(value: Any) -> str | None:
        match = compiled.match(value) if isinstance(value, str) else None
        return None if match is None else match[1]

    return converted(written, convert)


def beside(written: str, key: str) -> Place:
    """A field of a document that also has `key`."""
    return place_of(written)._replace(beside=key)


def only(written: str) -> Place:
    """The one text of a list that its writer encodes as JSON; any other text as it is."""

    def convert(value: Any) -> Any:
        listed = parse_json(value)[0] if isinstance(value, str) and value.startswith("[") else value
        if isinstance(listed, list | tuple) and len(cast("Sequence[Any]", listed)) == 1:
            first = cast("Sequence[Any]", listed)[0]
            return first if isinstance(first, str) else value
        return value

    return converted(written, convert)


def alone(written: str, key: str) -> Place:
    """The text that is all of a document, as when a function's bare result is wrapped."""

    def convert(value: Any, _: SpanView) -> Any:
        is_alone = isinstance(value, Mapping) and set(cast("Mapping[str, Any]", value)) == {key}
        return descend(value, (key,)) if is_alone else None

    return place_of(written)._replace(path=(".",), convert=convert)


def seconds_until(written: str) -> Place:
    """The seconds from the span's start to a moment in ISO format (in quotes or not)."""

    def convert(value: Any, view: SpanView) -> float | None:
        try:
            moment = datetime.fromisoformat(str(value).strip('"').replace("Z", "+00:00"))
            result = moment.timestamp() - view.start_ns / 1e9
        except (ValueError, OverflowError, OSError):
            return None
        # A moment without a zone is another machine's local time.
        return result if result <= (view.end_ns - view.start_ns) / 1e9 or moment.tzinfo else None

    return place_of(written)._replace(convert=convert)


def _thousandth(value: Any) -> float | None:
    try:
        return float(value) / 1000
    except (TypeError, ValueError, OverflowError):
        return None


def descend(value: Any, path: Sequence[str]) -> Any:
    """What is at `path` in nested maps and lists, or None; a text on the way is parsed."""
    for step in path:
        if step == ".":
            continue
        if isinstance(value, str):
            value = structure(parse_json(value)[0])
        if value.__class__ is dict or isinstance(value, Mapping):
            value = cast("Mapping[str, Any]", value).get(step)
        elif (
            isinstance(value, list | tuple)
            and step.isdecimal()
            and int(step[:9]) < len(items := cast("Sequence[Any]", value))
        ):
            value = items[int(step)]
        else:
            return None
    return value


_MAX_REPR = 1_000_000
_PLAIN = re.compile(r"'([^']*)'|\b(?:None|True|False)\b")
_JSON_WORDS = {"None": "null", "True": "true", "False": "false"}
_OPENING = re.compile(r"""\{'\w+': |\[\{'\w+': |\[?[A-Z]\w*\(\w+=""")
_ENUM = re.compile(
    r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|<[\w.]+: ('[^']*'|\d+)>|<(?:[^<>'"]|<[^<>'"]*>)*>""", re.DOTALL
)


def structure(value: Any) -> Any:
    """The structure in a text that `str()` of a Python object gave; any other value as it is.

    A constructor's call becomes the map of its named arguments with its name as ``type``, an enum its value.
    """
    if not isinstance(value, str) or _OPENING.match(value) is None or len(value) > _MAX_REPR:
        return value
    if '"' not in value and "\\" not in value:
        # Of plain texts and numbers, as a usage is, its JSON is a few words away.
        text = _PLAIN.sub(lambda match: _JSON_WORDS.get(match[0]) or f'"{match[1]}"', value)
        with suppress(orjson.JSONDecodeError):
            return orjson.loads(text)
    source = _ENUM.sub(lambda match: match[1] or match[2] or "None", value)
    try:
        return _value(ast.parse(source, mode="eval").body)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return value


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Dict):
        return {_value(key): _value(value) for key, value in zip(node.keys, node.values, strict=True) if key}
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.Call):
        named = {word.arg.lstrip("_"): _value(word.value) for word in node.keywords if word.arg}
        return {"type": node.func.id, **named} if isinstance(node.func, ast.Name) else named
    return ast.literal_eval(node)
