"""Whether a call has words: hidden words, empty answers, and why an answer is lacking."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from otel_arthur.genai.attributes import SpanAttributes
from otel_arthur.genai.call import (
    Choice,
    MediaPart,
    Message,
    Part,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
)
from otel_arthur.genai.messages.finish_reasons import reason_beside
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Conversation, Dialect
from otel_arthur.genai.tables.layout import Layout
from otel_arthur.genai.tables.words import reasons_of


def any_answers(choices: tuple[Choice, ...]) -> bool:
    """Whether one of the choices has words."""
    for choice in choices:  # noqa: SIM110 - a generator costs more than the one look that nearly all need
        if _tells(choice.message):
            return True
    return False


def any_tells(messages: tuple[Message, ...]) -> bool:
    """Whether one of the messages has words."""
    return any(map(_tells, messages))


def _tells(message: Message) -> bool:
    """Whether a message has words; where content is off, some still name the tools called and the media."""
    parts = message.parts
    if len(parts) == 1 and type(parts[0]) is TextPart:
        return bool(parts[0].text)
    return any(
        part.arguments is not None if isinstance(part, ToolCallPart) else bool(part.text)
        for part in parts
        if not isinstance(part, MediaPart)
    )


def shown(conversation: Conversation, hidden: str) -> Conversation:
    """The conversation without what was hidden on purpose, and without messages that hold nothing else."""
    messages = [left for message in conversation.messages if (left := _without(message, hidden)) is not None]
    choices = [
        choice if left is choice.message else replace(choice, message=left)
        for choice in conversation.choices
        if (left := _without(choice.message, hidden)) is not None
    ]
    return Conversation(tuple(messages), tuple(choices))


def hides(messages: Iterable[Message], hidden: str) -> bool:
    """Whether anything was hidden on purpose: then `shown` gives another conversation."""
    for message in messages:
        for part in message.parts:
            if part.text == hidden if type(part) is TextPart else _is_hidden(part, hidden):
                return True
    return False


def _without(message: Message, hidden: str) -> Message | None:
    parts = tuple([part for part in message.parts if not _is_hidden(part, hidden)])
    if len(parts) == len(message.parts):
        return message
    return replace(message, parts=parts) if parts else None


def _is_hidden(part: Part, hidden: str) -> bool:
    if type(part) is TextPart or isinstance(part, ToolResultPart):
        return part.text == hidden
    return isinstance(part, ToolCallPart) and part.name == hidden


def empty_answer(attributes: SpanAttributes, layout: Layout, asked: bool, usage: Usage) -> tuple[Choice, ...]:
    """The answer of a call of which the span itself shows that it was empty, or none.

    The prompt is there, so content is on, and the model was cut before its first word, was not let speak,
    called nothing but tools, or counted no token. A stop with tokens is an answer that was lost.
    Without the prompt content is off, and an answer without words keeps the reason.
    """
    reason = reason_beside(reasons_of(attributes, layout.reasons), 0)
    is_told = usage.output == 0 or reason not in (None, "stop") if asked else reason is not None
    return (Choice(Message("assistant", ()), reason),) if is_told else ()


def lacking(asked: bool, choices: tuple[Choice, ...], dialect: Dialect, view: SpanView) -> str | None:
    """Why a call that succeeded is not to be recorded, or None. A prompt alone may be hidden on purpose."""
    if asked and choices:
        return None
    if not asked:
        return f"messages were not recorded: {dialect.advice_for(view)}"
    hidden = dialect.hidden
    if dialect.hides_answers and (hidden is None or hidden in view.attributes.values()):
        return f"the answer was not recorded: {dialect.advice_for(view)}"
    return "the answer was not recorded by the instrumentation"
