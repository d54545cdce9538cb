"""Spans of OTLP/JSON for the intake, read without protobuf in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import msgspec
from msgspec.structs import replace

from otel_arthur.collector.otlp.inflating import BadBody
from otel_arthur.collector.otlp.spans import MAX_ATTRIBUTES, attribute_count, has_marker
from otel_arthur.genai.duplicates.kin import kin_of
from otel_arthur.genai.otlp.json.texts import json_document
from otel_arthur.genai.otlp.json.tolerated import tolerated
from otel_arthur.genai.otlp.json.typed import Export, ordinary
from otel_arthur.genai.otlp.spoiled import OTLPError
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.steps.reading import around
from otel_arthur.genai.steps.step import Frame, Step


def export_in(body: bytes, spoiled: Counter[str]) -> Export:
    """What a request holds.

    Args:
        spoiled: what was bad -> how often, counted up.

    Raises:
        BadBody: it is no OTLP/JSON.
    """
    if (export := ordinary(body)) is not None:
        return export
    try:
        export, bad = tolerated(json_document(body, spoiled))
    except (ValueError, OTLPError) as error:
        raise BadBody(f"the body is not OTLP/JSON: {str(error)[:200]}") from None
    spoiled.update(kind for kind, _ in bad)
    return export


class JSONSpans:
    """As `HandedOver`, which says more."""

    def __init__(self, views: Iterable[SpanView]) -> None:
        self._calls: list[SpanView] = []
        self._others: list[SpanView] = []
        for view in views:
            said = msgspec.json.encode((view.attributes, view.events, view.name, view.status_message))
            (self._calls if has_marker(said) else self._others).append(view)

    def calls(self, skip: Callable[[str], None]) -> Iterator[SpanView]:
        """Spans that may be calls; `skip` is called with the reason of each one that is left out."""
        traces = {view.trace_id for view in self._calls}
        here = [view for view in (*self._calls, *self._others) if view.trace_id in traces]
        kin = kin_of(
            [(view.trace_id, view.span_id) for view in self._calls],
            {(view.trace_id, view.span_id): view.parent_span_id for view in here},
        )
        for view in self._calls:
            if not _has_valid_ids(view):
                skip("invalid id")
            elif attribute_count(view, view.resource) > MAX_ATTRIBUTES:
                skip("too many attributes")
            elif (own := kin.get((view.trace_id, view.span_id))) is not None:
                yield replace(view, kin=replace(own, is_parent_remote=view.kin.is_parent_remote))
            else:
                yield view

    def around(self) -> Iterator[tuple[SpanView, Step | Frame]]:
        """What the other spans are in their traces."""
        return ((view, around(view)) for view in self._others if _has_valid_ids(view))


def _has_valid_ids(view: SpanView) -> bool:
    ids = view.trace_id, view.span_id
    return tuple(map(len, ids)) == (32, 16) and all(one.strip("0") for one in ids)
