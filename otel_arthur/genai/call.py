"""`LLMCall`: the normal form of one call to a language model, free of any dialect.

Structs of `msgspec`, for they are frozen dataclasses that are built in a tenth of the time and that
the garbage collector need not walk: every call passes through a dozen of them.
`msgspec.structs.replace` and `asdict` do what `dataclasses` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from msgspec import Struct

from otel_arthur.genai.span import NO_KIN, Kin


class TextPart(Struct, frozen=True, gc=False, tag_field="type", tag="text", rename={"text": "content"}):
    """Words of a message; it is decoded from the form of the conventions."""

    text: str


class ReasoningPart(Struct, frozen=True, gc=False):
    """What the model thought before it answered; never part of the answer's text."""

    text: str


class ToolCallPart(Struct, frozen=True, gc=False):
    """A tool that the model asked to have called."""

    id: str | None
    name: str
    arguments: Any
    """The parsed JSON arguments, or their text where they are not JSON."""
    by_provider: bool = False
    """The provider runs the tool itself, within the call."""


class ToolResultPart(Struct, frozen=True, gc=False):
    """What a tool answered."""

    id: str | None
    text: str


class MediaPart(Struct, frozen=True, gc=False):
    """An image, file or recording: named, never inlined."""

    modality: str
    name: str
    """A URL, a file id, or a description such as ``image/png, 512 bytes``."""


class OtherPart(Struct, frozen=True, gc=False):
    """Any other part: a cache point, a signature, a kind that came later. Nobody's words."""

    kind: str
    text: str
    """The part's JSON, cut to a length."""


Part: TypeAlias = TextPart | ReasoningPart | ToolCallPart | ToolResultPart | MediaPart | OtherPart
_WORDS = (TextPart, ToolResultPart)
NO_EXTRA: Mapping[str, Any] = MappingProxyType({})


class Message(Struct, frozen=True, gc=False):
    """One turn. `role` is ``system``, ``user``, ``assistant``, ``tool`` or the role as it was written."""

    role: str
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The words: text parts joined, and in a tool's message its results, which are no words of others."""
        parts = self.parts
        if len(parts) == 1 and type(parts[0]) is TextPart:
            return parts[0].text
        words = _WORDS if self.role == "tool" else TextPart
        return "".join([part.text for part in parts if isinstance(part, words)])

    @property
    def tool_calls(self) -> tuple[ToolCallPart, ...]:
        """The tools asked for, in order."""
        if len(self.parts) == 1 and type(self.parts[0]) is TextPart:
            return ()
        return tuple([part for part in self.parts if isinstance(part, ToolCallPart)])


class Choice(Struct, frozen=True, gc=False):
    """One of the answers that the model gave to a call."""

    message: Message
    finish_reason: str | None = None
    """``stop``, ``length``, ``content_filter``, ``tool_calls``, or the provider's own word."""
    tokens: tuple[str, ...] | None = None
    likelihoods: tuple[Mapping[str, float], ...] | None = None
    """One map of token -> probability for each output token."""


class Usage(Struct, frozen=True, gc=False):
    """Tokens of a call. Totals include their parts: `input` includes cache reads and writes,
    `output` includes reasoning, whatever the dialect counted."""

    input: int | None = None
    output: int | None = None
    total: int | None = None
    cached: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None


class LLMCall(Struct, frozen=True, gc=False):
    """One call to a language model. Times are nanoseconds since the epoch; absent is None."""

    trace_id: str
    """32 hexadecimal digits."""
    span_id: str
    """16 hexadecimal digits."""
    parent_span_id: str | None
    name: str
    scope: str
    dialect: str
    start_ns: int
    end_ns: int
    messages: tuple[Message, ...] = ()
    """The input in order; system instructions come first wherever the dialect kept them."""
    choices: tuple[Choice, ...] = ()
    usage: Usage = Usage()
    operation: str | None = None
    failed: bool = False
    service_name: str | None = None
    service_instance: str | None = None
    environment: str | None = None
    truncated: bool = False
    """A text was cut, by the SDK's limits or by ours."""
    extra: Mapping[str, Any] = NO_EXTRA
    """The user's own fields: Arthur attribute -> value of a span or resource attribute."""
    is_half: bool = False
    """Whether the call has no words: then it only completes another span of the same call."""
    kin: Kin = NO_KIN
    """The spans above and below in the trace, by which a double is found."""
    choices_left_out: int = 0
    """How many answers are left out, as a call may have only so many."""
    # From here on all that dialects' tables name, in the order in which `layout` keeps the values.
    provider: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    response_id: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    time_to_first_token: float | None = None
    """Seconds."""
    conversation_id: str | None = None
    user_id: str | None = None
    error_type: str | None = None
    error_message: str | None = None
