"""OpenInference (Arize Phoenix and all that send to it), plain, hidden, or with GenAI attributes beside.

Reference: Arize-ai/openinference, ``spec/semantic_conventions.md``. Detects:
``openinference.span.kind``, which is written last and so survives an attribute limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from otel_arthur.genai import calls
from otel_arthur.genai.attributes import SpanAttributes, as_map
from otel_arthur.genai.call import Message
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.messages.indexed import items
from otel_arthur.genai.messages.message import input_messages, output_choices
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import beside, descend, joined, matched, unless, within
from otel_arthur.genai.tables.provider_fields import COUNTS, PARAMETERS
from otel_arthur.genai.tables.sources import Source, numbered_answers, numbered_messages
from otel_arthur.genai.usage import counted

_OUT, _COUNT = "output.value", "llm.token_count."
_KEPT = f"{_OUT}#generations.0.0.message.kwargs.response_metadata."
_COMPLETED = r"(completed)\Z"
_METADATA = {
    "user_id": ("user_id",),
    "conversation_id": ("session_id", "conversation_id", "thread_id"),
}
_LLAMA_INDEX = "openinference.instrumentation.llama_index"
_LLAMA_INDEX_CALLS = frozenset(
    f"{prefix}{method}" for prefix in ("", "a", "stream_", "astream_") for method in ("chat", "complete")
)
_by_kind = calls.kind_in("openinference.span.kind", {"llm": "chat"}, otherwise=calls.operation)


def _operation(view: SpanView) -> str | None:
    attributes = view.attributes
    if "openinference.span.kind" not in attributes:
        # A Collector's gen_ai_normalizer renames it, and calls prompt templates text completions.
        has_model = "llm.model_name" in attributes or "gen_ai.request.model" in attributes
        return calls.operation(view) if has_model else None
    operation = None if _is_around_a_call(view) else _by_kind(view)
    is_completion = "llm.prompts" in attributes or "llm.prompts.0.prompt.text" in attributes
    return "text_completion" if operation is not None and is_completion else operation


def _is_around_a_call(view: SpanView) -> bool:
    """LlamaIndex has every method of a model traced, also those that go on to one which makes the call."""
    if view.scope != _LLAMA_INDEX:
        return False
    model, dot, method = view.name.rpartition(".")
    return bool(dot) and (method not in _LLAMA_INDEX_CALLS or model == "StructuredLLM")


def _with_results(item: Any) -> Any:
    """AutoGen has the results of tools beside the message that gives them, each as JSON."""
    results = as_map(item).get("function")
    if not isinstance(results, list):
        return item
    parts = [
        {"type": "tool_call_response", "id": result.get("call_id"), "response": result.get("content")}
        for result in map(as_map, cast("list[Any]", results))
    ]
    return {"role": "tool", "parts": parts}


def _prompts(attributes: SpanAttributes) -> Sequence[Message]:
    """The prompts of a completion model: a list of texts, or numbered."""
    prompts = attributes.get("llm.prompts")
    if isinstance(prompts, list | tuple):
        attributes.sources["messages"] = "llm.prompts"
        return input_messages(prompts)
    found = items(attributes.attributes, "llm.prompts.")
    return input_messages([descend(item, ("prompt", "text")) for item in found])


def _completions(attributes: SpanAttributes) -> Sequence[Any]:
    found = items(attributes.attributes, "llm.choices.")
    return output_choices([descend(item, ("completion", "text")) for item in found])


DIALECT = Dialect(
    name="openinference",
    reference="https://github.com/Arize-ai/openinference/tree/main/spec",
    markers=("openinference.span.kind",),
    hints=("llm.model_name", "llm.token_count.total", "llm.output_messages.0.message.role"),
    scopes=("openinference.",),
    operation=_operation,
    fields=joined(
        {
            "provider": ("llm.provider", "llm.system"),
            "response_model": (
                "gen_ai.response.model",
                f"{_KEPT}model_name",
                f"{_KEPT}model",
                beside(f"{_OUT}#model_name", "id"),
                # While a stream runs only the model asked for is known, and it stays in the attribute.
                beside(f"{_OUT}#model", "id"),
                "llm.model_name",
            ),
            "response_id": (
                "gen_ai.response.id",
                f"{_KEPT}id",
                f"{_OUT}#0.output.0.provider_data.response_id",
                unless(f"{_OUT}#id", "__fake_id__"),
            ),
            "usage.input": (f"{_COUNT}prompt",),
            "usage.output": (f"{_COUNT}completion",),
            "usage.total": (f"{_COUNT}total",),
            "usage.cached": (f"{_COUNT}prompt_details.cache_read",),
            "usage.cache_write": (f"{_COUNT}prompt_details.cache_write",),
            "usage.reasoning": (f"{_COUNT}completion_details.reasoning",),
            "conversation_id": ("session.id",),
        },
        within(_OUT, {field: COUNTS[field] for field in ("usage.cached", "usage.reasoning")}, under="usage"),
        {field: semconv.FIELDS[field] for field in ("temperature", "top_p", "max_tokens", "user_id")},
        within("llm.invocation_parameters", PARAMETERS),
        within("metadata", _METADATA),
        semconv.FIELDS,
        # The request as it was, where the parameters leave the model out.
        {"request_model": (beside("input.value#model", "messages"), beside("input.value#model", "input"))},
    ),
    question=(
        numbered_messages("llm.input_messages.", _with_results),
        Source(_prompts, prefix="llm.prompts"),
    ),
    answer=(numbered_answers("llm.output_messages."), Source(_completions, prefix="llm.choices.")),
    reasons=(
        "llm.finish_reason",
        *(f"{_OUT}#incomplete_details.reason", f"{_KEPT}incomplete_details.reason"),
        *(matched(f"{_OUT}#status", _COMPLETED), matched(f"{_KEPT}status", _COMPLETED)),
        f"{_OUT}#finish_reason",
    ),
    usage=counted,
    hidden="__REDACTED__",
    hides_answers=True,
    first_token_event="First Token Stream Event",
    content_switch="OPENINFERENCE_HIDE_INPUTS=false and OPENINFERENCE_HIDE_OUTPUTS=false",
)
