"""Genkit for Go and JavaScript: documents of its own, on the span of each model.

``generate`` and flows are around the call and repeat it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from otel_arthur.genai import calls
from otel_arthur.genai.attributes import SpanAttributes
from otel_arthur.genai.call import Choice
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import beginning, joined, matched, within
from otel_arthur.genai.tables.provider_fields import PARAMETERS
from otel_arthur.genai.tables.sources import Source, answer_at, question_at

_IN, _OUT = "genkit:input", "genkit:output"
_COUNTS = {
    "usage.input": ("inputTokens",),
    "usage.output": ("outputTokens",),
    "usage.total": ("totalTokens",),
    "usage.cached": ("cachedContentTokens",),
    "usage.reasoning": ("thoughtsTokens",),
}
_OPENAI = {
    "usage.cached": ("prompt_tokens_details.cached_tokens",),
    "usage.reasoning": ("completion_tokens_details.reasoning_tokens",),
}
"""Of the provider's own answer, where Genkit's plugin leaves them out."""
_output = answer_at(_OUT)


def _answer(attributes: SpanAttributes) -> Sequence[Choice]:
    """The plugins say ``stop`` of an answer that asks for tools, too."""
    return [
        replace(choice, finish_reason="tool_calls")
        if choice.finish_reason == "stop" and choice.message.tool_calls
        else choice
        for choice in _output.read(attributes)
    ]


DIALECT = Dialect(
    name="genkit",
    reference="https://genkit.dev/docs/observability/getting-started/",
    markers=("genkit:type",),
    operation=calls.kind_in("genkit:metadata:subtype", {"model": "chat"}),
    failure={"genkit:state": "error"},
    fields=joined(
        {
            "provider": (beginning("genkit:name", "/"),),
            "request_model": (matched("genkit:name", r"[^/]+/(.+)"), "genkit:name"),
            "response_id": (f"{_OUT}#custom.id", f"{_OUT}#raw.id", f"{_OUT}#raw.responseId"),
            "response_model": (f"{_OUT}#custom.model", f"{_OUT}#raw.model", f"{_OUT}#raw.modelVersion"),
        },
        within(_OUT, _COUNTS, under="usage"),
        within(_OUT, _OPENAI, under="raw.usage"),
        within(_OUT, _OPENAI, under="custom.usage"),
        within(_IN, PARAMETERS, under="config"),
    ),
    question=(question_at(_IN),),
    answer=(Source(_answer, _output.places),),
    content_note="Genkit records it always",
)
