"""The dialects, one file each, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from otel_arthur.genai.dialects import (
    agent_framework,
    anthropic_sdk,
    braintrust,
    gemini_cli,
    genkit,
    google_adk,
    haystack,
    koog,
    laminar,
    langfuse,
    langsmith,
    langtrace,
    langwatch,
    litellm,
    llama_index_events,
    logfire,
    mastra,
    mlflow,
    monocle,
    netra,
    openinference,
    openlit,
    openllmetry,
    openllmetry_legacy,
    pydantic_ai,
    quarkus,
    semantic_kernel,
    semconv,
    semconv_events,
    sentry,
    spring_ai,
    strands,
    traceai,
    vercel_ai,
)
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import LONGEST_SCOPE, Dialect
from otel_arthur.genai.tables.words import ANYWHERE_ANSWER, ANYWHERE_QUESTION, REASONS

DIALECTS: tuple[Dialect, ...] = tuple(
    module.DIALECT
    for module in (
        # Told by a marker of their own.
        openinference,
        langfuse,
        langsmith,
        langwatch,
        laminar,
        langtrace,
        mlflow,
        mastra,
        vercel_ai,
        genkit,
        haystack,
        braintrust,
        koog,
        traceai,
        # Told by their scope.
        litellm,
        pydantic_ai,
        strands,
        google_adk,
        agent_framework,
        semantic_kernel,
        logfire,
        spring_ai,
        quarkus,
        gemini_cli,
        anthropic_sdk,
        llama_index_events,
        monocle,
        sentry,
        openlit,
        netra,
        # Told by what they write; the general takes what is left.
        openllmetry_legacy,
        openllmetry,
        semconv_events,
        semconv,
    )
)
"""The first that owns a span reads it: by its marker, then by scope or by what is written."""

_BY_MARKER: Mapping[str, Dialect] = {marker: dialect for dialect in DIALECTS for marker in dialect.markers}
_OWN_MARKERS = frozenset(_BY_MARKER)

_TELLING = (
    *("provider", "request_model", "response_model", "response_id"),
    *("usage.input", "usage.output", "usage.total"),
)
PREFIXES = ("gen_ai.", "llm.")
MARKERS = frozenset(
    {
        *_OWN_MARKERS,
        *(hint for dialect in DIALECTS for hint in dialect.hints),
        "gen_ai.operation.name",
        *(str(place) for field in _TELLING for place in semconv.FIELDS[field]),
        *(str(place) for source in (*ANYWHERE_QUESTION, *ANYWHERE_ANSWER) for place in source.places),
        *REASONS,
    }
) - {"input.value", "output.value"}
"""Every span that could be a call has one of these attributes."""
BARE_SCOPES = tuple(scope for dialect in DIALECTS if dialect.is_bare for scope in dialect.scopes)
"""Beginnings of scopes whose spans may have no attribute."""
EVENTS = frozenset(event for dialect in DIALECTS for event in dialect.events)
"""Names of events of a call whose span may have none."""
MARKER_BYTES = tuple(
    sorted(
        {
            *(p.encode() for p in PREFIXES),
            *(m.encode() for m in MARKERS | EVENTS if not m.startswith(PREFIXES)),
        }
    )
)
"""Every candidate has one of these in its bytes, in protobuf and in JSON alike: a part of a key."""


def dialect_of(view: SpanView) -> Dialect:
    """The dialect in which a span is written; the conventions themselves when no other owns it."""
    attributes = view.attributes
    if not _OWN_MARKERS.isdisjoint(attributes):
        return next(dialect for marker, dialect in _BY_MARKER.items() if marker in attributes)
    for dialect in _of_scope(view.scope[:LONGEST_SCOPE]):
        if dialect.owns is None or dialect.owns(view):
            return dialect
    return semconv.DIALECT


@lru_cache(maxsize=256)
def _of_scope(scope: str) -> tuple[Dialect, ...]:
    """Those that may own a span of this scope, in order."""
    return tuple(
        dialect
        for dialect in DIALECTS
        if scope.startswith(dialect.scopes) or (not dialect.scopes and dialect.owns is not None)
    )
