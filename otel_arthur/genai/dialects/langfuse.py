"""Langfuse's own SDKs (v3 and later; Python and JavaScript): observations as spans, fields as JSON text.

A model makes an observation a generation, whatever its type.
"""

from __future__ import annotations

from collections.abc import Sequence

from otel_arthur.genai.attributes import SpanAttributes
from otel_arthur.genai.call import Choice, Usage
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.messages.recorded import answer_in
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Conversation, Dialect
from otel_arthur.genai.tables.places import joined, place_of, seconds_until, unquoted, within
from otel_arthur.genai.tables.provider_fields import COUNTS, PARAMETERS
from otel_arthur.genai.tables.sources import Source, question_at
from otel_arthur.genai.usage import inclusive

_OF = "langfuse.observation."
_USAGE, _IN, _OUT, _MODEL = f"{_OF}usage_details", f"{_OF}input", f"{_OF}output", f"{_OF}model.name"
_OWN_COUNTS = {
    "usage.cached": ("input_cached_tokens", "input_cache_read"),
    "usage.cache_write": ("input_cache_creation",),
    "usage.reasoning": ("output_reasoning_tokens", "output_reasoning"),
}


def _operation(view: SpanView) -> str | None:
    kind = view.attributes.get(f"{_OF}type", "span")
    # The SDK called generations `span` up to 3.3.0.
    return "chat" if kind == "generation" or (kind == "span" and _MODEL in view.attributes) else None


def _answer(attributes: SpanAttributes) -> Sequence[Choice]:
    """What a decorated function returned is encoded, texts too; what a wrapper recorded is the text."""
    is_function = attributes.document(_IN).keys() >= {"args", "kwargs"}
    attributes.sources["choices"] = _OUT
    return answer_in(attributes.get(_OUT), attributes.json(_OUT), encoded=is_function)


def _usage(usage: Usage, _: Conversation, attributes: SpanAttributes) -> Usage:
    """Langfuse's own names count each part once, beside the others, and so does Anthropic's document."""
    counts = attributes.document(_USAGE)
    sums_up = usage.total is not None and usage.total == (usage.input or 0) + (usage.output or 0)
    beside = not sums_up and "prompt_tokens" not in counts and "input_tokens_details" not in counts
    return inclusive(usage, cache_outside=beside, reasoning_outside=beside and "output" in counts)


DIALECT = Dialect(
    name="langfuse",
    reference="https://langfuse.com/integrations/native/opentelemetry",
    markers=(f"{_OF}type", _MODEL),
    operation=_operation,
    failure={f"{_OF}level": "ERROR"},
    fields=joined(
        {
            "response_model": (_MODEL,),
            "conversation_id": ("session.id", "langfuse.session.id"),
            "user_id": ("user.id", "langfuse.user.id"),
            "time_to_first_token": (seconds_until(f"{_OF}completion_start_time"),),
        },
        within(_USAGE, _OWN_COUNTS),
        within(_USAGE, COUNTS),
        within(f"{_OF}model.parameters", PARAMETERS),
        semconv.FIELDS,
    ),
    question=(question_at(_IN),),
    answer=(Source(_answer, (place_of(_OUT),)),),
    system=(unquoted(f"{_OF}metadata.instructions"),),
    reasons=(f"{_OF}metadata.finish_reason",),
    usage=_usage,
    content_switch="capture_input=True and capture_output=True on @observe, and no mask",
)
