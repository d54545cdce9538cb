"""Whole requests and responses of a provider, which some instrumentations record as they are.

Source: OpenAI's API reference (chat completions, completions, responses), Anthropic's messages,
Gemini's `generateContent`, and LangChain's `LLMResult`. A document is told by its keys; what is none
of them is read as messages, and nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast

from otel_arthur.genai.call import Choice, Message
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

_SYSTEM = ("system", "instructions", "system_instruction", "systemInstruction", "system_prompt")
_INPUT = ("messages", "input", "contents", "prompts", "prompt", "message")
_ANSWERS = ("choices", "generations", "output", "candidates")


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


def response_choices(document: Any) -> list[Choice]:
    """The answers in a response."""
    if not isinstance(document, Mapping):
        return output_choices(document)
    response = cast("_Map", document)
    for key in _ANSWERS:
        answers = response.get(key)
        if isinstance(answers, list | tuple):
            items = cast("Sequence[Any]", answers)
            if key == "output":
                return [_of_output(items[:MAX_PARTS], response)]
            return [_choice(item) for item in _flat(items)]
    return [_choice(response)]


def _messages(told: Any) -> list[Message]:
    """Messages and items; LangChain nests the list once more."""
    if not isinstance(told, list | tuple):
        return input_messages(told)
    return input_messages(list(_flat(cast("Sequence[Any]", told)[:MAX_PARTS])))


def _flat(items: Sequence[Any]) -> Iterator[Any]:
    for item in items:
        if isinstance(item, list | tuple):
            yield from cast("Sequence[Any]", item)
        else:
            yield item


def _choice(item: Any) -> Choice:
    """One answer: the message inside, or the item itself, and the reason beside it."""
    if not isinstance(item, Mapping):
        return Choice(message_of(item, "assistant"))
    choice = cast("_Map", item)
    inner = choice.get("message", choice.get("delta"))
    if inner is None and isinstance(choice.get("content"), Mapping):
        inner = choice["content"]
    if inner is None and "text" in choice and "content" not in choice:
        # A completion model's answer has no message around it.
        inner = {"content": choice["text"]}
    message = message_of(inner if isinstance(inner, Mapping) else choice, "assistant")
    return Choice(message, _reason(choice))


def _reason(choice: _Map) -> str | None:
    """In OpenAI's place, or in one of those where LangChain keeps it."""
    places: list[Any] = [choice, choice.get("generation_info"), *_of_langchain({"generations": [choice]})]
    return next((reason for place in places if (reason := finish_reason_of(reason_in(place)))), None)


def _of_output(items: Sequence[Any], response: _Map) -> Choice:
    """The Responses API gives one answer as several items."""
    details = response.get("incomplete_details")
    cut = cast("_Map", details).get("reason") if isinstance(details, Mapping) else None
    status = finish_reason_of(cut) or finish_reason_of(response.get("status"))
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
