"""`Evidence`: what an LLM span testifies, kept of a call while it waits for its double."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, TypeAlias

from otel_arthur.genai.call import LLMCall

Key: TypeAlias = tuple[str, str]
"""Trace id and span id."""


class Evidence(NamedTuple):
    """What one LLM span testifies about the call that it describes. Holds no words of anyone."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    scope: str
    start_ns: int
    end_ns: int
    failed: bool
    response_id: str | None
    question: str | None
    """Hash of the last user text; None where content was not recorded or was cut."""
    answer: str | None
    """Hash of the answers' texts and tool names; None as above."""
    models: tuple[str, ...]
    """The model asked for and the one that answered, as far as they are known."""
    tokens: tuple[int, int] | None
    """In and out."""
    process: str
    rank: int
    """How much the span tells; the richest of those that describe one call is recorded."""

    @property
    def key(self) -> Key:
        """Trace id and span id."""
        return self.trace_id, self.span_id

    def to_json(self) -> tuple[Any, ...]:
        """The fields in order, as JSON values."""
        return tuple(self)

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> Evidence:
        """The inverse of `to_json`.

        Raises:
            ValueError: the list is not one that `to_json` gave.
        """
        try:
            trace, span, parent, scope, start, end, failed, response, *rest = values
            question, answer, models, tokens, process, rank = rest
            return cls(
                trace,
                span,
                parent,
                scope,
                int(start),
                int(end),
                bool(failed),
                response,
                question,
                answer,
                tuple(models),
                None if tokens is None else (tokens[0], tokens[1]),
                process,
                int(rank),
            )
        except (TypeError, IndexError, ValueError):
            raise ValueError("not the evidence of a call") from None


def evidence_of(call: LLMCall) -> Evidence:
    """What `call` testifies."""
    question, answer = (None, None) if call.truncated else (_question(call), _answer(call))
    usage = call.usage
    tokens = (usage.input, usage.output) if usage.input is not None and usage.output is not None else None
    return Evidence(
        call.trace_id,
        call.span_id,
        call.parent_span_id,
        call.scope,
        call.start_ns,
        call.end_ns,
        call.failed,
        call.response_id,
        question,
        answer,
        tuple(model for model in (call.request_model, call.response_model) if model),
        tokens,
        f"{call.service_name or ''}\0{call.service_instance or ''}",
        _rank(call),
    )


def _question(call: LLMCall) -> str | None:
    for message in reversed(call.messages):
        if message.role == "user":
            return _hash(message.text)
    return None


def _answer(call: LLMCall) -> str | None:
    if not call.choices:
        return None
    texts = [
        text
        for choice in call.choices
        for text in (choice.message.text, *(tool.name for tool in choice.message.tool_calls))
    ]
    # An answer with no word in it (a stream that broke at once) is no evidence.
    return _hash("\0".join(texts)) if any(texts) else None


def _hash(text: str) -> str:
    return blake2b(text.strip().encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _rank(call: LLMCall) -> int:
    """The richest first: each mark weighs more than all behind it."""
    marks = (
        bool(call.choices),
        bool(call.messages),
        not call.truncated,
        any(choice.likelihoods is not None for choice in call.choices),
        call.usage.input is not None,
        any(choice.finish_reason for choice in call.choices),
        call.conversation_id is not None or call.user_id is not None,
        call.response_id is not None,
        call.time_to_first_token is not None,
        call.temperature is not None or call.max_tokens is not None,
    )
    rank = 0
    for mark in marks:
        rank = rank * 2 + mark
    return rank
