"""OpenInference (Arize Phoenix and all that send to it), plain, hidden, or with GenAI attributes beside.

Reference: Arize-ai/openinference, ``spec/semantic_conventions.md``. Detects:
``openinference.span.kind``, which is written last and so survives an attribute limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from msgspec.structs import replace

from otel_arthur.genai.bag import Bag
from otel_arthur.genai.call import Choice, Message, TextPart, ToolCallPart, ToolResultPart
from otel_arthur.genai.dialect import Conversation, Dialect
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.messages.indexed import items, starts_late, whole
from otel_arthur.genai.messages.json_text import parse_json
from otel_arthur.genai.messages.message import input_messages, output_choices
from otel_arthur.genai.span import SpanView

KEYS: Mapping[str, tuple[str, ...]] = {
    "provider": ("llm.provider", "llm.system", "gen_ai.provider.name"),
    "response_model": ("gen_ai.response.model",),
    "response_id": ("gen_ai.response.id",),
    "conversation_id": ("session.id", "gen_ai.conversation.id"),
    "user_id": ("user.id",),
    "error_type": ("error.type",),
    "temperature": ("gen_ai.request.temperature",),
    "top_p": ("gen_ai.request.top_p",),
    "max_tokens": ("gen_ai.request.max_tokens",),
    "usage.input": ("llm.token_count.prompt", "gen_ai.usage.input_tokens"),
    "usage.output": ("llm.token_count.completion", "gen_ai.usage.output_tokens"),
    "usage.total": ("llm.token_count.total",),
    "usage.cached": ("llm.token_count.prompt_details.cache_read", "gen_ai.usage.cache_read.input_tokens"),
    "usage.cache_write": ("llm.token_count.prompt_details.cache_write",),
    "usage.reasoning": ("llm.token_count.completion_details.reasoning",),
}

_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "request_model": ("model", "model_name", "model_id"),
    "temperature": ("temperature",),
    "top_p": ("top_p", "topP"),
    "max_tokens": ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxTokens"),
    "user_id": ("user",),
}
_METADATA: Mapping[str, tuple[str, ...]] = {
    "user_id": ("user_id",),
    "conversation_id": ("session_id", "conversation_id", "thread_id"),
}
_LLAMA_INDEX = "openinference.instrumentation.llama_index"
_LLAMA_INDEX_CALLS = frozenset(
    f"{prefix}{method}" for prefix in ("", "a", "stream_", "astream_") for method in ("chat", "complete")
)
_REDACTED = "__REDACTED__"
_MAX_JSON = 4_000_000
"""Longer raw outputs are not searched for what is only there."""


def _operation(view: SpanView) -> str | None:
    attributes = view.attributes
    kind = attributes.get("openinference.span.kind")
    if kind is None:
        # A Collector's gen_ai_normalizer renames it, and calls prompt templates text completions.
        has_model = "llm.model_name" in attributes or "gen_ai.request.model" in attributes
        return semconv.operation(view) if has_model else None
    if not isinstance(kind, str) or kind.upper() != "LLM" or _is_around_a_call(view):
        return None
    is_completion = "llm.prompts" in attributes or "llm.prompts.0.prompt.text" in attributes
    return "text_completion" if is_completion else "chat"


def _is_around_a_call(view: SpanView) -> bool:
    """LlamaIndex has every method of a model traced, also those that go on to one which makes the call."""
    if view.scope != _LLAMA_INDEX:
        return False
    model, dot, method = view.name.rpartition(".")
    return bool(dot) and (method not in _LLAMA_INDEX_CALLS or model == "StructuredLLM")


def _derived(bag: Bag) -> dict[str, tuple[Any, str]]:
    found: dict[str, tuple[Any, str]] = {}
    for key, fields in (("llm.invocation_parameters", _PARAMETERS), ("metadata", _METADATA)):
        document = _document(bag.attributes.get(key))
        for field, names in fields.items():
            for name in names:
                if document.get(name) is not None and field not in found:
                    found[field] = (document[name], f"{key}#{name}")
    response = _response_in(bag)
    found["response_id"] = (response.get("id"), "output.value")
    # While a stream runs only the model asked for is known, and it stays in the attribute.
    model = response.get("model_name") or response.get("model")
    named = bag.attributes.get("llm.model_name")
    found["response_model"] = (model, "output.value") if isinstance(model, str) else (named, "llm.model_name")
    if "request_model" not in found:
        found["request_model"] = (bag.attributes.get("gen_ai.request.model"), "gen_ai.request.model")
    if found["request_model"][0] is None and bag.attributes.get("input.mime_type") == "application/json":
        # The request as it was, where the parameters leave the model out.
        found["request_model"] = (_document(bag.attributes.get("input.value")).get("model"), "input.value")
    return found


def _response_in(bag: Bag) -> Mapping[str, Any]:
    """What the provider answered, in the raw output: OpenAI's response, or what LangChain kept of it."""
    if bag.attributes.get("output.mime_type") != "application/json":
        return {}
    output = _document(bag.attributes.get("output.value"))
    generation = _at(output, "generations", 0, 0)
    if generation is None:
        return output if isinstance(output.get("id"), str) else {}
    metadata = _at(generation, "message", "kwargs", "response_metadata")
    return cast("Mapping[str, Any]", metadata) if isinstance(metadata, Mapping) and metadata else {}


def _conversation(bag: Bag) -> Conversation:
    attributes = bag.attributes
    prompt = items(attributes, "llm.input_messages.") or _prompts(bag)
    if not prompt:
        prompt = bag.take_json("messages", ("gen_ai.input.messages",)) or _raw(bag, "input")
    else:
        bag.sources["messages"] = "llm.input_messages"
        if starts_late(attributes, "llm.input_messages."):
            bag.truncated = True
            prompt = whole(prompt)
    answers = items(attributes, "llm.output_messages.") or _completions(bag)
    if not answers:
        answers = bag.take_json("choices", ("gen_ai.output.messages",)) or _raw(bag, "output")
    else:
        bag.sources["choices"] = "llm.output_messages"
    reason = bag.take("finish_reasons", ("llm.finish_reason", "gen_ai.response.finish_reasons"))
    if reason is None:
        reason = _status(bag, answers)
    messages = [told for message in input_messages(prompt) if (told := _told(message)) is not None]
    choices = [
        Choice(told, choice.finish_reason)
        for choice in output_choices(answers, reason)
        if (told := _told(choice.message)) is not None
    ]
    return Conversation(tuple(messages), tuple(choices))


def _status(bag: Bag, answers: Any) -> str | None:
    """The finish reason that the status of a Responses API answer amounts to."""
    response = _response_in(bag)
    status = response.get("status")
    if status == "completed":
        bag.sources["finish_reasons"] = "output.value"
        called = any(choice.message.tool_calls for choice in output_choices(answers))
        return "tool_calls" if called else "stop"
    reason = _at(response, "incomplete_details", "reason")
    return reason if isinstance(reason, str) else None


def _told(message: Message) -> Message | None:
    """A message without what was hidden; None when nothing else is in it."""
    hidden = [part for part in message.parts if _is_hidden(part)]
    if not hidden:
        return message
    parts = tuple(part for part in message.parts if not _is_hidden(part))
    return replace(message, parts=parts) if parts else None


def _is_hidden(part: Any) -> bool:
    if isinstance(part, TextPart | ToolResultPart):
        return part.text == _REDACTED
    return isinstance(part, ToolCallPart) and part.name == _REDACTED


def _prompts(bag: Bag) -> list[Any]:
    """The prompts of a completion model: a list of texts, or numbered."""
    prompts = bag.take("messages", ("llm.prompts",))
    if isinstance(prompts, list | tuple):
        return list(cast("list[Any]", prompts))
    return [_at(item, "prompt", "text") for item in items(bag.attributes, "llm.prompts.")]


def _completions(bag: Bag) -> list[Any]:
    return [_at(item, "completion", "text") for item in items(bag.attributes, "llm.choices.")]


def _raw(bag: Bag, side: str) -> Any:
    """What a span says only as a whole: a text, or the result of a LangChain completion model."""
    key = f"{side}.value"
    value = bag.attributes.get(key)
    if not isinstance(value, str) or value == _REDACTED or not value:
        return []
    bag.sources["messages" if side == "input" else "choices"] = key
    if bag.attributes.get(f"{side}.mime_type") != "application/json":
        return [value]
    document = _document(value)
    generations = _at(document, "generations", 0)
    for list_ in (generations, document.get("choices"), document.get("messages")):
        if list_ and isinstance(list_, list):
            return [_generation(item) for item in cast("list[Any]", list_)]
    prompt = document.get("prompt", document.get("input"))
    return [] if prompt is None else prompt


def _generation(item: Any) -> Any:
    """A LangChain generation or an OpenAI choice without a message: its text is the answer."""
    if not isinstance(item, Mapping):
        return item
    entry = cast("Mapping[str, Any]", item)
    return entry if entry.get("message") or "text" not in entry else {"content": entry["text"]}


def _document(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, str) or len(value) > _MAX_JSON:
        return {}
    document = parse_json(value)[0]
    return cast("Mapping[str, Any]", document) if isinstance(document, dict) else {}


def _at(value: Any, *path: str | int) -> Any:
    """What is at `path` in nested maps and lists, or None."""
    for step in path:
        if isinstance(step, int):
            value = cast("list[Any]", value)[step] if isinstance(value, list) and len(value) > step else None  # type: ignore[arg-type]
        else:
            value = cast("Mapping[str, Any]", value).get(step) if isinstance(value, Mapping) else None
    return value


DIALECT = Dialect(
    name="openinference",
    reference="https://github.com/Arize-ai/openinference/tree/main/spec",
    marker="openinference.span.kind",
    scopes=("openinference.",),
    operation=_operation,
    keys=KEYS,
    derived=_derived,
    conversation=_conversation,
    first_token_event="First Token Stream Event",
    content_switch="OPENINFERENCE_HIDE_INPUTS=false and OPENINFERENCE_HIDE_OUTPUTS=false",
)
