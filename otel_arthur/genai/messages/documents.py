"""Whole requests and responses of a provider, which some instrumentations record as they are.

Source: OpenAI's API reference (chat completions, completions, responses), Anthropic's messages,
Gemini's `generateContent`, and LangChain's `LLMResult`. A document is told by its keys; what is none
of them is read as messages, and nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast

from otel_arthur.genai.bag import count
from otel_arthur.genai.call import Choice, Message, Usage
from otel_arthur.genai.messages.answers import as_one, reason_of_items
from otel_arthur.genai.messages.finish_reasons import finish_reason_of
from otel_arthur.genai.messages.message import (
    input_messages,
    message_of,
    output_choices,
    reason_in,
    system_instructions,
)
from otel_arthur.genai.messages.texts import MAX_PARTS

_Map: TypeAlias = Mapping[str, Any]
Fields: TypeAlias = dict[str, Any]
"""Field of `LLMCall`, or of `Usage` as ``usage.input`` -> value."""

_SYSTEM = ("system", "instructions", "system_instruction", "systemInstruction", "system_prompt")
_INPUT = ("messages", "input", "contents", "prompts", "prompt", "message")
_ANSWERS = ("choices", "generations", "output", "candidates")

_REQUEST: Mapping[str, tuple[str, ...]] = {
    "request_model": ("model", "model_name", "model_id"),
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "max_tokens": ("max_tokens", "max_completion_tokens", "max_output_tokens"),
    "user_id": ("user",),
}
_RESPONSE: Mapping[str, tuple[str, ...]] = {
    "response_id": ("id", "responseId"),
    "response_model": ("model", "model_name", "modelVersion"),
}
_USAGE: Mapping[str, tuple[str, ...]] = {
    "usage.input": ("prompt_tokens", "input_tokens", "promptTokenCount", "inputTokens"),
    "usage.output": ("completion_tokens", "output_tokens", "candidatesTokenCount", "outputTokens"),
    "usage.total": ("total_tokens", "totalTokenCount", "totalTokens"),
    "usage.cached": (
        "prompt_tokens_details.cached_tokens",
        "input_tokens_details.cached_tokens",
        "input_token_details.cache_read",
        "cache_read_input_tokens",
        "cachedContentTokenCount",
    ),
    "usage.cache_write": ("input_token_details.cache_creation", "cache_creation_input_tokens"),
    "usage.reasoning": (
        "completion_tokens_details.reasoning_tokens",
        "output_tokens_details.reasoning_tokens",
        "output_token_details.reasoning",
        "thoughtsTokenCount",
    ),
}


def request_messages(document: Any) -> list[Message]:
    """The input of a request, system instructions first; a list or a text is the messages themselves."""
    if not isinstance(document, Mapping):
        return _messages(document)
    request = cast("_Map", document)
    system = next((request[key] for key in _SYSTEM if request.get(key)), None)
    if isinstance(system, Mapping):
        system = cast("_Map", system).get("parts", system)
    told = next((request[key] for key in _INPUT if request.get(key) is not None), None)
    if told is None:
        return [*system_instructions(system), *([message_of(request, "user")] if "role" in request else [])]
    return [*system_instructions(system), *_messages(told)]


def response_choices(document: Any, reason: Any = None) -> list[Choice]:
    """The answers in a response; `reason` is a finish reason that stands elsewhere."""
    if not isinstance(document, Mapping):
        return output_choices(document, reason)
    response = cast("_Map", document)
    for key in _ANSWERS:
        answers = response.get(key)
        if isinstance(answers, list | tuple):
            items = cast("Sequence[Any]", answers)[:MAX_PARTS]
            if key == "output":
                return [_of_output(items, response, reason)]
            return [_choice(item, reason) for item in _flat(items)]
    return [_choice(response, reason)]


def request_fields(document: Any) -> Fields:
    """What a request tells beside its messages."""
    return _fields(document, _REQUEST)


def response_fields(document: Any) -> Fields:
    """Identity, model and usage of a response; of LangChain's, those of the provider's inside."""
    if not isinstance(document, Mapping):
        return {}
    response = cast("_Map", document)
    found = _fields(response, _RESPONSE) if any(key in response for key in ("choices", "output")) else {}
    for inner in _of_langchain(response):
        # An id of LangChain's own ("lc_run--…") is no id of a response.
        found = {**_fields(inner, {**_RESPONSE, "response_model": ("model_name", "model")}), **found}
        for usage in ("usage_metadata", "token_usage"):
            found = {**usage_fields(inner.get(usage)), **found}
    return {**usage_fields(response.get("usage", response.get("usageMetadata"))), **found}


def usage_fields(document: Any) -> Fields:
    """Token counts as a provider reports them."""
    return {field: value for field, value in _fields(document, _USAGE).items() if count(value) is not None}


def usage_of(fields: Mapping[str, Any]) -> Usage:
    """Those fields as a `Usage`."""
    names = ("input", "output", "total", "cached", "cache_write", "reasoning")
    return Usage(*(count(fields.get(f"usage.{name}")) for name in names))


def _messages(told: Any) -> list[Message]:
    """Messages and items; LangChain nests the list once more."""
    if not isinstance(told, list | tuple):
        return input_messages(told)
    return input_messages(list(_flat(cast("Sequence[Any]", told)[:MAX_PARTS])))


def _flat(items: Sequence[Any]) -> Iterator[Any]:
    for item in items:
        if isinstance(item, list | tuple):
            yield from cast("Sequence[Any]", item)[:MAX_PARTS]
        else:
            yield item


def _choice(item: Any, reason: Any) -> Choice:
    """One answer: the message inside, or the item itself, and the reason beside it."""
    if not isinstance(item, Mapping):
        return Choice(message_of(item, "assistant"), finish_reason_of(reason))
    choice = cast("_Map", item)
    inner = choice.get("message", choice.get("delta"))
    if inner is None and isinstance(choice.get("content"), Mapping):
        inner = choice["content"]
    if inner is None and "text" in choice and "content" not in choice:
        # A completion model's answer has no message around it.
        inner = {"content": choice["text"]}
    told = _reason(choice) or finish_reason_of(reason)
    return Choice(message_of(inner if isinstance(inner, Mapping) else choice, "assistant"), told)


def _reason(choice: _Map) -> str | None:
    """In OpenAI's place, or in one of those where LangChain keeps it."""
    places: list[Any] = [choice, choice.get("generation_info"), *_of_langchain({"generations": [choice]})]
    return next((reason for place in places if (reason := finish_reason_of(reason_in(place)))), None)


def _of_output(items: Sequence[Any], response: _Map, reason: Any) -> Choice:
    """The Responses API gives one answer as several items."""
    details = response.get("incomplete_details")
    cut = cast("_Map", details).get("reason") if isinstance(details, Mapping) else None
    status = finish_reason_of(reason) or finish_reason_of(cut) or finish_reason_of(response.get("status"))
    answer = as_one(output_choices(items))
    reason = status or answer.finish_reason
    return Choice(answer.message, reason and reason_of_items(answer.message, reason))


def _of_langchain(response: _Map) -> Iterator[_Map]:
    """What LangChain keeps of the provider's response, inside its messages and beside them."""
    generations = response.get("generations")
    if isinstance(generations, list | tuple):
        for generation in _flat(cast("Sequence[Any]", generations)[:1]):
            message = cast("_Map", generation).get("message") if isinstance(generation, Mapping) else None
            kept = cast("_Map", message).get("kwargs", message) if isinstance(message, Mapping) else None
            if isinstance(kept, Mapping):
                inner = cast("_Map", kept)
                metadata = inner.get("response_metadata")
                if isinstance(metadata, Mapping):
                    yield cast("_Map", metadata)
                yield {"usage_metadata": inner.get("usage_metadata")}
    if isinstance(response.get("llm_output"), Mapping):
        yield cast("_Map", response["llm_output"])


def _fields(document: Any, table: Mapping[str, tuple[str, ...]]) -> Fields:
    found: Fields = {}
    for field, keys in table.items():
        for key in keys:
            value = document
            for step in key.split("."):
                value = cast("_Map", value).get(step) if isinstance(value, Mapping) else None
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                found[field] = value
                break
    return found
