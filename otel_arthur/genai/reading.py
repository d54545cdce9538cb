"""`read`: what one finished span is, and the `LLMCall` in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from otel_arthur.genai.answered import any_answers, any_tells, empty_answer, lacking, shown
from otel_arthur.genai.attributes import SpanAttributes
from otel_arthur.genai.call import LLMCall, Usage
from otel_arthur.genai.call_of_span import call_of
from otel_arthur.genai.calls import IF_SAID, has_exception, is_of_no_language_model, says_failed
from otel_arthur.genai.dialects import BARE_SCOPES, EVENTS, MARKERS, PREFIXES
from otel_arthur.genai.likelihoods import with_likelihoods
from otel_arthur.genai.messages.answers import choices_wanted, distinct
from otel_arthur.genai.planned import USAGE, Planned, planned_of
from otel_arthur.genai.span import STATUS_ERROR, SpanView
from otel_arthur.genai.tables.dialect import Conversation, Dialect
from otel_arthur.genai.tables.layout import FIELDS, Layout, fields_of, layout_of
from otel_arthur.genai.tables.words import after_system, answer_of, question_of

_MANY_ATTRIBUTES = 64
"""From here on a limit may have dropped all markers, so every key is looked at."""


_CHOICE_COUNT = FIELDS.index("choice_count")
_REQUEST_MODEL, _RESPONSE_MODEL = FIELDS.index("request_model"), FIELDS.index("response_model")


MAX_CHOICES = 10_000
"""More answers than any provider gives to one request. Each is an inference: the others are counted."""


class Reading(Struct, frozen=True, gc=False):
    """What became of one span. `call` is None when it is not an LLM call."""

    call: LLMCall | None
    dialect: Dialect | None
    reason: str
    copied: Mapping[str, str]
    """Field -> the attribute that it copies."""
    found: Mapping[str, str]
    """Field -> the place that was looked for and filled it."""
    content_missing: bool = False
    """Whether the span is an LLM call whose messages were not recorded."""

    @property
    def sources(self) -> Mapping[str, str]:
        """Field -> the place that filled it."""
        return {**self.copied, **self.found}


NOT_GENAI = Reading(None, None, "not a GenAI span", {}, {})
NO_IDS = Reading(None, None, "no inference without a valid trace id and span id", {}, {})
_NO_TRACE_ID, _NO_SPAN_ID = "0" * 32, "0" * 16


def is_candidate(attributes: Mapping[str, Any]) -> bool:
    """Whether a span's attributes could be those of an LLM call; cheap, for every span passes here.

    Without any attribute a span may have its call in its events, which `read` looks at.
    """
    if not MARKERS.isdisjoint(attributes) or not attributes:
        return True
    return len(attributes) >= _MANY_ATTRIBUTES and any(key.startswith(PREFIXES) for key in attributes)


def read(view: SpanView, extra: Mapping[str, str] | None = None) -> Reading:
    """Read a span. `extra` maps the user's own field names to span or resource attributes."""
    found = look(view, extra)
    if isinstance(found, Reading):
        return found
    layout, attributes = found.layout, found.attributes
    call = found.whole(attributes)
    return Reading(call, layout.dialect, "LLM call", layout.sources, attributes.sources)


def look(view: SpanView, extra: Mapping[str, str] | None = None) -> Reading | Planned:
    """As `read`; but a call that a plan has read is not put together yet."""
    attributes = view.attributes
    if MARKERS.isdisjoint(attributes) and not (
        is_candidate(attributes) if attributes else _is_known_without(view)
    ):
        return NOT_GENAI
    trace_id, span_id = view.trace_id, view.span_id
    if len(trace_id) != 32 or len(span_id) != 16 or trace_id == _NO_TRACE_ID or span_id == _NO_SPAN_ID:
        return NO_IDS  # as ``trace.proto`` wants them
    layout = layout_of(view)
    dialect, plan = layout.dialect, layout.plan
    operation = dialect.operation(view)
    if operation is None:
        return Reading(None, dialect, _not_a_call(view), {}, {})
    if plan is not None and attributes.__class__ is dict and not _has_failed(view, dialect):
        planned = planned_of(view, layout, plan, operation, extra)
        if planned is not None:
            return planned
    return _read_call(view, layout, operation, extra)


def _is_known_without(view: SpanView) -> bool:
    """Whether a span without attributes is known by its scope, or by its events."""
    return view.scope.startswith(BARE_SCOPES) or any(event.name in EVENTS for event in view.events)


def _not_a_call(view: SpanView) -> str:
    name = view.attributes.get("gen_ai.operation.name") or view.attributes.get("openinference.span.kind")
    return f"operation {name} is not a call to a language model" if name else "not a call to a language model"


def _read_call(view: SpanView, layout: Layout, operation: str, extra: Mapping[str, str] | None) -> Reading:
    dialect = layout.dialect
    attributes = SpanAttributes(view, view.attributes, {})
    fields = fields_of(attributes, layout)
    usage = Usage(*fields[USAGE])
    messages = question_of(attributes, layout.question)
    if layout.system:
        messages = after_system(messages, attributes, layout.system)
    conversation = Conversation(
        tuple(messages),
        tuple(answer_of(attributes, layout.answer, layout.reasons, fields[_CHOICE_COUNT] or 1)),
    )
    if dialect.hidden is not None:
        conversation = shown(conversation, dialect.hidden)
    choices = conversation.choices
    if len(choices) > 1:
        choices = tuple(distinct(choices, fields[_CHOICE_COUNT] or choices_wanted(view.attributes)))
    left_out = max(len(choices) - MAX_CHOICES, 0)
    if left_out:
        choices = choices[:MAX_CHOICES]
    if layout.has_likelihoods:
        choices = with_likelihoods(choices, attributes)
    answered = any_answers(choices)
    failed = _has_failed(view, dialect) or (not answered and has_exception(view))
    reason = None
    if not answered:
        asked = any_tells(conversation.messages)
        if _is_none(view, operation, asked and failed, fields):
            return Reading(None, dialect, _not_a_call(view), {}, {})
        if not failed:
            choices = choices or empty_answer(attributes, layout, asked, usage)
            reason = lacking(asked, choices, dialect, view)
    if failed:
        # Some write the beginnings of an answer that never came.
        choices = tuple([choice for choice in choices if choice.message.parts])
    call = call_of(
        attributes, layout, operation, conversation, choices, usage, fields, extra, failed, left_out
    )
    if reason is None:
        told = f"LLM call; answers beyond {MAX_CHOICES} are left out: {left_out}" if left_out else "LLM call"
        return Reading(call, dialect, told, layout.sources, attributes.sources)
    return Reading(call, dialect, reason, layout.sources, attributes.sources, content_missing=True)


def _has_failed(view: SpanView, dialect: Dialect) -> bool:
    """Whether the span says that its call failed."""
    return bool(
        view.status_code == STATUS_ERROR
        or view.attributes.get("error.type")
        or (dialect.failure and says_failed(view, dialect.failure))
    )


def _is_none(view: SpanView, operation: str, said: bool, fields: list[Any]) -> bool:
    """Whether a span without an answer is no call after all."""
    models = (fields[_REQUEST_MODEL], fields[_RESPONSE_MODEL])
    return (operation == IF_SAID and not said) or is_of_no_language_model(view, models)
