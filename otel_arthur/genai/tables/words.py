"""Where the words of a call are: the places that a dialect names, then every place that anybody uses.

One rule for all dialects: each half of the conversation is looked for by itself, in the dialect's own places
first and then in those of `ANYWHERE_QUESTION` and `ANYWHERE_ANSWER`, in order. The first place that has
anything gives the half; a message in it that says nothing is taken from the next place that has its words.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, Final, cast

from msgspec.structs import replace

from otel_arthur.genai.attributes import SpanAttributes
from otel_arthur.genai.call import Choice, Message, TextPart
from otel_arthur.genai.messages.finish_reasons import COMMON, reason_beside
from otel_arthur.genai.messages.forms import is_repr
from otel_arthur.genai.messages.message import system_instructions
from otel_arthur.genai.messages.recorded import instructions_in
from otel_arthur.genai.tables.event_words import (
    ANSWER_EVENTS,
    QUESTION_EVENTS,
    answer_in_events,
    question_in_events,
)
from otel_arthur.genai.tables.places import Place, only
from otel_arthur.genai.tables.sources import (
    Source,
    answer_at,
    answer_of_pieces,
    answers_at,
    messages_at,
    numbered_answers,
    numbered_messages,
    question_at,
    recorded_answer,
    recorded_question,
)


def question_of(attributes: SpanAttributes, sources: Sequence[Source]) -> Sequence[Message]:
    """The input, from the first of `sources` that has any, its gaps filled from the others."""
    found: Sequence[Message] = ()
    for source in sources:
        messages: Sequence[Message] = source.read(attributes)
        if not found:
            found = messages
        elif len(messages) == len(found):
            found = list(map(_said, found, messages))
        for message in found:
            if not message.parts:
                break
        else:
            if found:
                return found
    return found


def _said(message: Message, other: Message) -> Message:
    return other if not message.parts and other.role == message.role else message


def answer_of(
    attributes: SpanAttributes,
    sources: Sequence[Source],
    reasons: Sequence[tuple[Place, str]],
    wanted: int = 1,
) -> Sequence[Choice]:
    """The answers, likewise; fewer than the request asked for are an incomplete half.

    Args:
        reasons: places of finish reasons that stand beside the answers, for those that do not say.
    """
    found: Sequence[Choice] = ()
    for source in sources:
        choices: Sequence[Choice] = source.read(attributes)
        if not found or len(found) < wanted == len(choices):
            found = choices
        elif choices:
            found = [_filled(choice, other) for choice, other in zip_longest(found, choices[: len(found)])]
        for choice in found:
            parts = choice.message.parts
            if not parts:
                break
            if parts[0].__class__ is TextPart and cast("TextPart", parts[0]).text[:1] == "<":
                found = [choice for choice in found if not _is_repr(choice)]
                break
        else:
            if len(found) >= wanted:
                break
    for choice in found:
        if choice.finish_reason is None:
            return with_reasons(found, reasons_of(attributes, reasons))
    return found


def _is_repr(choice: Choice) -> bool:
    """Whether an answer is only the name of an object, as of a stream that was not read."""
    return len(choice.message.parts) == 1 and is_repr(choice.message.text)


def _filled(choice: Choice, other: Choice | None) -> Choice:
    if choice.message.parts or other is None:
        return choice
    return replace(choice, message=other.message, finish_reason=choice.finish_reason or other.finish_reason)


def with_reasons(choices: Sequence[Choice], reasons: Any) -> Sequence[Choice]:
    """Answers with the finish reasons that stand beside them."""
    if reasons is None or (len(choices) > 1 and any(choice.finish_reason for choice in choices)):
        # Where one of several says its own, the others are pieces of a stream, which had not ended.
        return choices
    return [
        choice
        if choice.finish_reason
        else Choice(choice.message, _beside(reasons, index, choice), choice.tokens, choice.likelihoods)
        for index, choice in enumerate(choices)
    ]


def _beside(reasons: Any, index: int, choice: Choice) -> str | None:
    """The reason beside an answer; of a response, ``completed`` says less than the tools called."""
    if reasons == "completed" and choice.message.tool_calls:
        return "tool_calls"
    return reason_beside(reasons, index)


def reasons_of(attributes: SpanAttributes, places: Sequence[tuple[Place, str]]) -> Any:
    """The finish reasons at the first of `places` that has any: one for all answers, or one each."""
    for place, source in places:
        value = attributes.at(place)
        if value.__class__ is not str or value not in COMMON:
            value = attributes.parsed(value)
        if isinstance(value, str) and value[:1] == "[" and value[-1:] == "]":
            # Kotlin's list as text.
            value = value[1:-1].split(", ")
        if value:
            attributes.sources["finish_reasons"] = source
            return value
    return None


ANYWHERE_QUESTION: Final = (
    messages_at("gen_ai.input.messages"),
    Source(question_in_events, events=QUESTION_EVENTS),
    numbered_messages("gen_ai.prompt."),
    question_at("gen_ai.prompt"),
    recorded_question(),
    question_at("gen_ai.request.messages"),
)
"""Where a question may stand, whoever wrote the span; log records have become attributes or events before."""
ANYWHERE_ANSWER: Final = (
    answers_at("gen_ai.output.messages"),
    Source(answer_in_events, events=ANSWER_EVENTS),
    numbered_answers("gen_ai.completion."),
    answer_at("gen_ai.completion"),
    recorded_answer(),
    answer_of_pieces(content=(only("gen_ai.response.text"),), tool_calls=("gen_ai.response.tool_calls",)),
)
"""Where an answer may stand, in the same order."""
SYSTEM: Final = ("gen_ai.system_instructions",)
REASONS: Final = ("gen_ai.response.finish_reasons", "gen_ai.response.finish_reason")
"""Where a system prompt and finish reasons stand beside the messages, whoever wrote the span."""


def after_system(
    messages: Sequence[Message], attributes: SpanAttributes, places: Sequence[tuple[Place, str]]
) -> Sequence[Message]:
    """The input, after a system prompt that stands apart, unless the input begins with it."""
    for place, source in places:
        value = attributes.at(place)
        if value is None or value == "":
            continue
        system = system_instructions(instructions_in(value, attributes.parsed_at(place, value)))
        if system and not (messages and messages[0].role == "system" and messages[0] == system[0]):
            attributes.sources["system"] = source
            return (*system, *messages)
        break
    return messages
