"""OTLP/JSON that is not ordinary: what may be written otherwise becomes so, what does not fit is left out.

Names may be those of the schema of protobuf, a null is the default wherever it is, fields that are not known
are ignored, and a lone surrogate, which no text can have, is U+FFFD.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, cast, get_args

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from otel_arthur.genai.json_text import clean
from otel_arthur.genai.otlp.json.typed import Export, Request, export_of
from otel_arthur.genai.otlp.spoiled import HINT, UNFIT, OTLPError

_SIGNALS: Final = ("resourceSpans", "resourceLogs")
RECORDS: Final = {
    "resourceSpans": ("scopeSpans", "spans"),
    "resourceLogs": ("scopeLogs", "logRecords"),
    "resourceMetrics": ("scopeMetrics", "metrics"),
}
"""Signal -> its lists of scopes and of records."""


def tolerated(document: Mapping[str, Any]) -> tuple[Export, Sequence[tuple[str, str]]]:
    """The export in a parsed document; the kind of each thing that was left out, and why.

    Raises:
        OTLPError: nothing in it fits; the message names the first field at fault.
    """
    try:
        known = _plain(document, Request)
    except RecursionError:
        raise OTLPError(f"not OTLP/JSON: it is nested too deeply; {HINT}") from None
    bad: list[tuple[str, str]] = []
    exports = [one for signal in _SIGNALS if signal in known for one in _read(signal, known[signal], bad)]
    return (
        Export(
            [view for one in exports for view in one.views],
            [event for one in exports for event in one.events],
            "resourceMetrics" in known,
            not document or any(signal in known for signal in _SIGNALS),
            max([one.time_ns for one in exports], default=0),
        ),
        bad,
    )


def _read(signal: str, resources: Any, bad: list[tuple[str, str]]) -> Iterator[Export]:
    deep: list[tuple[str, str]] = []
    try:
        export = _converted(signal, resources, deep)
    except ValueError as error:
        whole = error
    else:
        bad += deep
        yield export
        return
    is_all_bad = True
    for alone in records_of(signal, resources):
        try:
            yield _converted(signal, [alone], bad)
            is_all_bad = False
        except ValueError as error:
            bad.append((UNFIT, str(error)[:200]))
    if is_all_bad:
        raise OTLPError(f"not OTLP/JSON: {str(whole)[:200]}")


def records_of(signal: str, resources: Any) -> Iterator[dict[str, Any]]:
    """Each record of a signal, such as ``resourceSpans``, alone in its resource and scope."""
    scopes, records = RECORDS.get(signal, ("", ""))
    for resource in cast("list[Any]", resources) if isinstance(resources, list) else ():
        for scope in _list(resource, scopes):
            for record in _list(scope, records):
                yield {**resource, scopes: [{**scope, records: [record]}]}


def _list(value: Any, key: str) -> list[Any]:
    inner = cast("Mapping[str, Any]", value).get(key) if isinstance(value, Mapping) else None
    return cast("list[Any]", inner) if isinstance(inner, list) else []


def _converted(signal: str, resources: Any, bad: list[tuple[str, str]]) -> Export:
    return export_of(msgspec.convert({signal: resources}, Request), bad)


def _plain(value: Any, kind: type[Struct] | None) -> Any:
    """A value with the names and without the nulls; `kind` is None of a value that stays as it is."""
    if isinstance(value, str):
        return clean(value)
    if kind is None:
        return value
    if isinstance(value, list):
        return [{} if one is None else _plain(one, kind) for one in cast("list[Any]", value)]
    if not isinstance(value, Mapping):
        return value
    names = _names(kind)
    return {
        names[name][0]: _plain(one, names[name][1])
        for name, one in cast("Mapping[str, Any]", value).items()
        if one is not None and name in names
    }


@cache
def _names(kind: type[Struct]) -> dict[str, tuple[str, type[Struct] | None]]:
    """A message's fields, in either spelling -> the name in camel case, and the kind of message in it."""
    return {
        name: (one.encode_name, next(_structs(one.type), None))
        for one in fields(kind)
        for name in (one.name, one.encode_name)
    }


def _structs(of: Any) -> Iterator[type[Struct]]:
    if isinstance(of, type) and issubclass(of, Struct):
        yield of
    for part in get_args(of):
        yield from _structs(part)
