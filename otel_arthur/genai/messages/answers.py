"""Which recorded outputs are one answer: items and pieces are, the n choices of a call are not.

Source: OpenAI's API reference, "Responses" (an answer is a list of items: reasoning, calls of tools, the
provider's own tools, messages; there is no n), and what instrumentations make of such lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from otel_arthur.genai.call import Choice, MediaPart, Message, Part, TextPart, ToolCallPart
from otel_arthur.genai.json_text import parse_json

_WANTED = ("gen_ai.request.choice.count", "langsmith.metadata.n")
_PARAMETERS = ("llm.invocation_parameters", "langfuse.observation.model.parameters")
_NAMES = ("n", "candidate_count", "candidateCount", "num_generations")


def as_one(choices: Sequence[Choice]) -> Choice:
    """The outputs as one answer, their parts in order."""
    parts: list[Part] = []
    reason = None
    for choice in choices:
        parts += choice.message.parts
        reason = choice.finish_reason or reason
    return Choice(Message("assistant", tuple(parts)), reason)


def reason_of_items(message: Message, reason: str | None) -> str | None:
    """The finish reason of an answer in items, which is complete also where the caller has to run a tool."""
    asks = any(not call.by_provider for call in message.tool_calls)
    return "tool_calls" if asks and reason in ("stop", None) else reason


def distinct(choices: Sequence[Choice], wanted: int | None = None) -> Sequence[Choice]:
    """`choices` with the items or pieces of one answer brought together.

    Args:
        wanted: how many answers the request asked for, None where it is not known.
    """
    if len(choices) < 2 or (wanted is not None and wanted > 1):
        return choices
    if _ends_with_the_whole(choices):
        return choices[-1:]
    if wanted == 1 or _has_half_an_answer(choices) or _asks_for_tools_one_by_one(choices):
        answer = as_one(choices)
        return [Choice(answer.message, reason_of_items(answer.message, answer.finish_reason))]
    return choices


def choices_wanted(attributes: Mapping[str, Any]) -> int | None:
    """How many answers a request asked for, or None where its span does not tell."""
    if attributes.get("openai.api.type") == "responses":
        return 1
    wanted = next((attributes[key] for key in _WANTED if attributes.get(key) is not None), None)
    for key in _PARAMETERS if wanted is None else ():
        text = attributes.get(key)
        parameters: Any = parse_json(text)[0] if isinstance(text, str) else text
        if isinstance(parameters, Mapping) and parameters:
            values = [cast("Mapping[str, Any]", parameters).get(name) for name in _NAMES]
            return next((value for value in values if isinstance(value, int)), 1)
    return int(wanted) if isinstance(wanted, int | float | str) and str(wanted).isdecimal() else None


def _ends_with_the_whole(choices: Sequence[Choice]) -> bool:
    """The pieces of a stream, and then all of them together, which alone has a finish reason."""
    *pieces, whole = choices
    if whole.finish_reason is None or any(piece.finish_reason for piece in pieces):
        return False
    return whole.message.text == "".join([piece.message.text for piece in pieces])


def _has_half_an_answer(choices: Sequence[Choice]) -> bool:
    """Mere thoughts, or a tool that the provider runs, are no choice of several but items of an answer."""
    return any(choice.message.parts and not any(map(_answers, choice.message.parts)) for choice in choices)


def _answers(part: Part) -> bool:
    if isinstance(part, ToolCallPart):
        return not part.by_provider
    return isinstance(part, TextPart | MediaPart)


def _asks_for_tools_one_by_one(choices: Sequence[Choice]) -> bool:
    """Parallel tool calls, each in an output of its own, behind at most one with words.

    Choices that ask for the same twice are alternatives, and so are those that ended for different reasons.
    """
    with_words = [choice for choice in choices if choice.message.text]
    calls = [call for choice in choices for call in choice.message.tool_calls]
    return (
        len(calls) == len(choices) - len(with_words)
        and len(with_words) < 2
        and not any(choice.message.tool_calls for choice in with_words)
        and len({(call.name, str(call.arguments)) for call in calls}) == len(calls)
        and len({choice.finish_reason for choice in choices} - {None}) < 2
    )
