"""The kind of a span around calls, in OpenInference's words: rows beside the dialects' tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from otel_arthur.genai.attributes import as_map
from otel_arthur.genai.span import SpanView

AGENT, TOOL, RETRIEVER, EMBEDDING, CHAIN = "AGENT", "TOOL", "RETRIEVER", "EMBEDDING", "CHAIN"
_TYPE_IN_JSON: Final = "braintrust.span_attributes"

KIND_ATTRIBUTES: Final = (
    "openinference.span.kind",
    "langfuse.observation.type",
    "langsmith.span.kind",
    "mlflow.spanType",
    "lmnr.span.type",
    "gen_ai.span.kind",
    "langwatch.span.type",
    "mastra.span.type",
    "genkit:metadata:subtype",
    "genkit:type",
    _TYPE_IN_JSON,
    "ai.operationId",
    "spring.ai.kind",
    "haystack.component.type",
    "traceloop.span.kind",
    "gen_ai.operation.name",
)
"""Where the dialects say what a span is; the first that says more than that it is a span counts."""
_BY_PRESENCE: Final = {
    "gen_ai.tool.name": TOOL,
    "gen_ai.agent.name": AGENT,
    "gen_ai.workflow.name": CHAIN,
    "traceloop.workflow.name": CHAIN,
}
"""Attribute -> kind, where none of those is there."""
SCOPES: Final = (
    "haystack",
    "llamaindex.",
    "semantic_kernel.",
    "pydantic-ai",
    "monocle",
    "crewai.",
    "autogen",
)
"""Beginnings of the scopes whose spans are all around calls; the kind is in the name."""
STEP_MARKERS: Final = frozenset((*KIND_ATTRIBUTES, *_BY_PRESENCE))

_SAYS_NOTHING: Final = frozenset(
    {"", "task", "span", "default", "event", "llm", "generation", "action", "util"}
)
_UNKNOWN: Final = "unknown"
"""MLflow's, of every span of the application."""
_NAMES: Final = (
    (re.compile(r"running|cycle|loop|parser"), CHAIN),
    (re.compile(r"embed"), EMBEDDING),
    (re.compile(r"rerank|ranker"), "RERANKER"),
    (re.compile(r"retriev|vector|search|knowledge"), RETRIEVER),
    (re.compile(r"guard|moderat"), "GUARDRAIL"),
    (re.compile(r"evaluat|scor"), "EVALUATOR"),
    (re.compile(r"tool"), TOOL),
    (re.compile(r"step|node|workflow|pipeline"), CHAIN),
    (re.compile(r"agent|crew"), AGENT),
    (re.compile(r"\Aprompt\Z"), "PROMPT"),
)
"""Kinds by what stands in a name; the first wins, and any other name is a chain's."""


def may_be_step(attributes: Mapping[str, Any], scope: str) -> bool:
    """Whether a span that is no call could be one around calls; cheap, for every span passes here."""
    return not STEP_MARKERS.isdisjoint(attributes) or scope.startswith(SCOPES)


def kind_of(view: SpanView) -> str | None:
    """The kind of a span around calls; None for any other span."""
    attributes = view.attributes
    is_one = False
    for attribute in KIND_ATTRIBUTES:
        said = attributes.get(attribute)
        if said is None:
            continue
        name = _name(as_map(said).get("type") if attribute == _TYPE_IN_JSON else said)
        if name == _UNKNOWN:
            return None
        is_one = True
        if name not in _SAYS_NOTHING:
            return _named(name)
    for attribute, kind in _BY_PRESENCE.items():
        if attributes.get(attribute):
            return kind
    if view.scope.startswith(SCOPES):
        return _named(view.name.lower())
    return CHAIN if is_one else None


def _name(value: Any) -> str:
    return value.strip('"').lower() if isinstance(value, str) else ""


def _named(name: str) -> str:
    return next((kind for pattern, kind in _NAMES if pattern.search(name)), CHAIN)
