"""`Evidence`: what an LLM span testifies, kept of a call while it waits for its double."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter, itemgetter
from typing import Any, Final
from zlib import crc32

import msgspec
from msgspec import Struct

from otel_arthur.genai.call import Choice, LLMCall, Message, TextPart
from otel_arthur.genai.call_of_span import resource_fields
from otel_arthur.genai.json_text import clean
from otel_arthur.genai.planned import USAGE, Planned
from otel_arthur.genai.span import SpanKey, SpanView
from otel_arthur.genai.stated import STATED
from otel_arthur.genai.tables.layout import FIELDS


class Evidence(Struct, frozen=True, gc=False, array_like=True):
    """What one LLM span testifies about the call that it describes. Holds no words of anyone."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    scope: str
    start_ns: int
    end_ns: int
    failed: bool
    response_id: str | None
    question: int | None
    """Checksum of the last user text; None where content was not recorded or was cut."""
    answer: int | None
    """Checksum of the answers' texts and tool names; None as above."""
    models: tuple[str, ...]
    """The model asked for and the one that answered, as far as they are known."""
    tokens: tuple[int, int] | None
    """In and out."""
    process: str
    rank: int
    """How much the span tells; of the spans that describe one call, the richest is recorded."""
    above: tuple[str, ...] = ()
    """Ids of the spans above, the nearest first, as far as they are known; the parent alone where empty."""
    below: tuple[str, ...] = ()
    """Ids of spans below that are no calls: what another process did in this call may have one as parent."""
    is_half: bool = False
    """Whether the span has no words, and is worth nothing unless another span has the words of the same
    call."""

    @property
    def key(self) -> SpanKey:
        """Trace id and span id."""
        return self.trace_id, self.span_id


def all_to_json(calls: Sequence[Evidence]) -> bytes:
    """A JSON array of arrays, the fields in order.

    Raises:
        UnicodeEncodeError: a name is no Unicode text.
    """
    return _encode(calls)


def all_from_json(text: bytes) -> list[Evidence]:
    """The evidence in what `all_to_json` gave.

    Raises:
        ValueError: it is no such array.
    """
    try:
        return _DECODER.decode(text)
    except msgspec.ValidationError:
        return msgspec.convert([_without_digests(each) for each in _LISTS.decode(text)], list[Evidence])


def _without_digests(values: list[Any]) -> list[Any]:
    """Evidence of a spool of format 1, which has digests of words instead of checksums.

    The two cannot be compared, so it is taken as that of a call without words.
    """
    return [None if place in _WORDS else value for place, value in enumerate(values)]


_START: Final = FIELDS.index("start_ns")
_NAMED: Final = (
    *("request_model", "response_model", "response_id", "conversation_id", "user_id"),
    *("time_to_first_token", "temperature", "max_tokens"),
)
"""What a call is told apart by, and what makes it rich, as `layout.FIELDS` and `LLMCall` name it."""
_of_call, _of_fields = attrgetter(*_NAMED), itemgetter(*map(FIELDS.index, _NAMED))
LONGEST_NAME: Final = 256
"""Characters of a name that is kept as it is."""
_encode = msgspec.json.Encoder().encode
_DECODER = msgspec.json.Decoder(list[Evidence])
_LISTS = msgspec.json.Decoder(list[list[Any]])
_WORDS = [Evidence.__struct_fields__.index(field) for field in ("question", "answer")]


def evidence_of(call: LLMCall) -> Evidence:
    """What `call` testifies."""
    return _evidence(
        *(call, call.start_ns, call.messages, call.choices, call.usage.input, call.usage.output),
        *(_process(call.service_name, call.service_instance), _of_call(call)),
        *(call.truncated, call.failed, call.is_half),
    )


def evidence_in(planned: Planned) -> Evidence:
    """As `evidence_of` its call, which is put together only where that takes a longer look."""
    view, layout, looked, fields = planned.view, planned.layout, planned.looked, planned.fields
    asked, told, *_ = fields[USAGE]
    if (
        (looked is not None and looked.truncated)
        or STATED in view.attributes
        or (view.events and layout.dialect.first_token_event is not None)
        or planned.plain_total is None
    ):
        return evidence_of(planned.whole())
    service, instance, _ = resource_fields(view.resource)
    return _evidence(
        *(view, fields[_START] or view.start_ns, planned.messages, (planned.choice,), asked, told),
        *(_process(service, instance), [clean(v) if v.__class__ is str else v for v in _of_fields(fields)]),
    )


def _evidence(
    of: LLMCall | SpanView,
    start_ns: int,
    messages: Sequence[Message],
    choices: Sequence[Choice],
    asked: int | None,
    told: int | None,
    process: str,
    named: Sequence[Any],
    truncated: bool = False,
    failed: bool = False,
    is_half: bool = False,
) -> Evidence:
    """The evidence of a call or its span; `named` has the values of `_NAMED`."""
    request_model, response_model, response_id, conversation_id, user_id, first_token, *limits = named
    # The richest first: each mark weighs more than all behind it.
    rank = 0
    for choice in choices:
        if choice.message.parts:
            rank |= 512
        if choice.likelihoods is not None:
            rank |= 64
        if choice.finish_reason is not None:
            rank |= 16
    if messages:
        rank |= 256
    if not truncated:
        rank |= 128
    if asked is not None:
        rank |= 32
    if conversation_id is not None or user_id is not None:
        rank |= 8
    if response_id is not None:
        rank |= 4
    if first_token is not None:
        rank |= 2
    if limits != [None, None]:
        rank |= 1
    return Evidence(
        of.trace_id,
        of.span_id,
        of.parent_span_id,
        of.scope if len(of.scope) <= LONGEST_NAME else _short(of.scope),
        start_ns,
        of.end_ns,
        failed,
        response_id and _short(response_id),
        None if truncated else _question(messages),
        None if truncated else _answer(choices),
        tuple([model[:LONGEST_NAME] for model in (request_model, response_model) if model]),
        None if asked is None or told is None else (asked, told),
        process,
        rank,
        of.kin.above,
        of.kin.below,
        is_half,
    )


@lru_cache(maxsize=16)
def _process(service: str | None, instance: str | None) -> str:
    return f"{_short(service or '')}\0{_short(instance or '')}"


def _short(name: str) -> str:
    """A short form of a name, equal for equal names: senders write names of any length, and many calls are
    remembered."""
    if len(name) <= LONGEST_NAME:
        return name
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _question(messages: Sequence[Message]) -> int | None:
    for message in reversed(messages):
        if message.role == "user":
            parts = message.parts
            if len(parts) == 1 and type(part := parts[0]) is TextPart:  # as nearly all are
                return checksum(part.text)
            return checksum(message.text)
    return None


def _answer(choices: Sequence[Choice]) -> int | None:
    texts: list[str] = []
    if len(choices) == 1 and len(parts := choices[0].message.parts) == 1:
        part = parts[0]
        if type(part) is TextPart:  # Nearly all are.
            return checksum(part.text) if part.text else None
    for choice in choices:
        message = choice.message
        texts.append(message.text)
        if len(message.parts) > 1 or not texts[-1]:
            texts += [tool.name for tool in message.tool_calls]
    # An answer with no word in it (a stream that broke at once) is no evidence.
    return checksum("\0".join(texts)) if any(texts) else None


def checksum(text: str) -> int:
    """32 bits are enough for texts of one moment, process and model; a digest costs four times as much."""
    words = text.strip()
    try:
        return crc32(words.encode())
    except UnicodeEncodeError:
        return crc32(words.encode("utf-8", "surrogatepass"))
