"""Haystack's own tracer: the input and the output of each component, and of each step of an agent.

Pipelines, agents and other components are around calls and repeat their words.
"""

from __future__ import annotations

from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import joined, seconds_until, within
from otel_arthur.genai.tables.provider_fields import COUNTS, PARAMETERS
from otel_arthur.genai.tables.sources import answers_at, question_at

_STEP = "haystack.agent.step.llm"
_INPUTS = ("haystack.component.input", f"{_STEP}.input")
_OUTPUTS = ("haystack.component.output", f"{_STEP}.output")


def _operation(view: SpanView) -> str | None:
    kind = view.attributes.get("haystack.component.type", "")
    is_generator = isinstance(kind, str) and kind.endswith("Generator")
    return "chat" if is_generator or view.name == _STEP else None


DIALECT = Dialect(
    name="haystack",
    reference="https://docs.haystack.deepset.ai/docs/tracing",
    markers=("haystack.component.type", *_INPUTS, *_OUTPUTS),
    scopes=("haystack",),
    is_bare=True,
    operation=_operation,
    fields=joined(
        {
            "response_model": tuple(f"{output}#replies.0.meta.model" for output in _OUTPUTS),
            "time_to_first_token": tuple(
                seconds_until(f"{output}#replies.0.meta.completion_start_time") for output in _OUTPUTS
            ),
            "error_type": ("error.type",),
        },
        *(within(output, COUNTS, under="replies.0.meta.usage") for output in _OUTPUTS),
        *(within(asked, PARAMETERS, under="generation_kwargs") for asked in _INPUTS),
    ),
    question=(question_at(*_INPUTS),),
    answer=(answers_at(*(f"{output}#replies" for output in _OUTPUTS)),),
    reasons=tuple(f"{output}#replies.0.meta.finish_reason" for output in _OUTPUTS),
    content_switch="HAYSTACK_CONTENT_TRACING_ENABLED=true",
)
