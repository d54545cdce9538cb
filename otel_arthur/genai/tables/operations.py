"""Which spans are calls, in the dialects whose spans do not say it in one attribute: rows `operation`.

Where one attribute says it, a table has `calls.kind_in` or `calls.ending` instead.
"""

from __future__ import annotations

from typing import Final

from otel_arthur.genai import calls
from otel_arthur.genai.attributes import as_map
from otel_arthur.genai.span import STATUS_ERROR, SpanView

_by_kind: Final = calls.kind_in("openinference.span.kind", {"llm": "chat"}, otherwise=calls.operation)
_OPENINFERENCE_LLAMA_INDEX: Final = "openinference.instrumentation.llama_index"
_LLAMA_INDEX_CALLS: Final = frozenset(
    f"{prefix}{method}" for prefix in ("", "a", "stream_", "astream_") for method in ("chat", "complete")
)


def of_openinference(view: SpanView) -> str | None:
    """By ``openinference.span.kind``, which a Collector's gen_ai_normalizer renames."""
    attributes = view.attributes
    if "openinference.span.kind" not in attributes:
        # The normalizer calls prompt templates text completions.
        has_model = "llm.model_name" in attributes or "gen_ai.request.model" in attributes
        return calls.operation(view) if has_model else None
    operation = None if _is_around_a_call(view) else _by_kind(view)
    is_completion = "llm.prompts" in attributes or "llm.prompts.0.prompt.text" in attributes
    return "text_completion" if operation is not None and is_completion else operation


def _is_around_a_call(view: SpanView) -> bool:
    """LlamaIndex has every method of a model traced, also those that go on to one which makes the call."""
    if view.scope != _OPENINFERENCE_LLAMA_INDEX:
        return False
    model, dot, method = view.name.rpartition(".")
    return bool(dot) and (method not in _LLAMA_INDEX_CALLS or model == "StructuredLLM")


def of_openllmetry(view: SpanView) -> str | None:
    """LlamaIndex's `complete` has no attribute of the conventions: its task is told by what it returned."""
    attributes = view.attributes
    if attributes.get("traceloop.span.kind") == "task" and "gen_ai.operation.name" not in attributes:
        is_llama_index = view.scope == "opentelemetry.instrumentation.llamaindex"
        returned = as_map(attributes.get("traceloop.entity.output") if is_llama_index else None)
        return "text_completion" if "text" in returned and as_map(returned.get("raw")) else None
    return calls.operation(view)


def of_google_adk(view: SpanView) -> str | None:
    """A span of documents alone is told by its name; one without attributes by its failure."""
    attributes = view.attributes
    name = attributes.get("gen_ai.operation.name")
    has_request = view.name == "call_llm" or "gcp.vertex.agent.llm_request" in attributes
    if not attributes and view.status_code != STATUS_ERROR:
        # In JavaScript nothing tells a refused call from one that is not over.
        return None
    return "generate_content" if name in (None, "call_llm") and has_request else calls.operation(view)
