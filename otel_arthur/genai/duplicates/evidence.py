"""`Evidence`: what an LLM span testifies, kept of a call while it waits for its double."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final
from zlib import crc32

import msgspec
from msgspec import Struct

from otel_arthur.genai.call import LLMCall, TextPart
from otel_arthur.genai.span import SpanKey


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


LONGEST_NAME: Final = 256
"""Characters of a name that is kept as it is."""
_encode = msgspec.json.Encoder().encode
_DECODER = msgspec.json.Decoder(list[Evidence])
_LISTS = msgspec.json.Decoder(list[list[Any]])
_WORDS = [Evidence.__struct_fields__.index(field) for field in ("question", "answer")]


def evidence_of(call: LLMCall) -> Evidence:
    """What `call` testifies."""
    usage = call.usage
    models = [model[:LONGEST_NAME] for model in (call.request_model, call.response_model) if model]
    return Evidence(
        call.trace_id,
        call.span_id,
        call.parent_span_id,
        call.scope if len(call.scope) <= LONGEST_NAME else _short(call.scope),
        call.start_ns,
        call.end_ns,
        call.failed,
        call.response_id and _short(call.response_id),
        None if call.truncated else _question(call),
        None if call.truncated else _answer(call),
        tuple(models),
        None if usage.input is None or usage.output is None else (usage.input, usage.output),
        _process(call.service_name, call.service_instance),
        _rank(call),
        call.kin.above,
        call.kin.below,
        call.is_half,
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


def _question(call: LLMCall) -> int | None:
    for message in reversed(call.messages):
        if message.role == "user":
            parts = message.parts
            if len(parts) == 1 and type(part := parts[0]) is TextPart:  # as nearly all are
                return checksum(part.text)
            return checksum(message.text)
    return None


def _answer(call: LLMCall) -> int | None:
    texts: list[str] = []
    if len(call.choices) == 1 and len(parts := call.choices[0].message.parts) == 1:
        part = parts[0]
        if type(part) is TextPart:  # Nearly all are.
            return checksum(part.text) if part.text else None
    for choice in call.choices:
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


def _rank(call: LLMCall) -> int:
    """The richest first: each mark weighs more than all behind it."""
    rank = 0
    for choice in call.choices:
        if choice.message.parts:
            rank |= 512
        if choice.likelihoods is not None:
            rank |= 64
        if choice.finish_reason is not None:
            rank |= 16
    if call.messages:
        rank |= 256
    if not call.truncated:
        rank |= 128
    if call.usage.input is not None:
        rank |= 32
    if call.conversation_id is not None or call.user_id is not None:
        rank |= 8
    if call.response_id is not None:
        rank |= 4
    if call.time_to_first_token is not None:
        rank |= 2
    if call.temperature is not None or call.max_tokens is not None:
        rank |= 1
    return rank
