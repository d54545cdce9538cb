"""Google's Agent Development Kit: semantic conventions from 1.17 or so on, JSON of its own before and beside.

The kits for Java and JavaScript write the same documents with names in camel case. Of a call that failed they
write a span without attributes.
"""

from __future__ import annotations

from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables import operations
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import joined, unless, within
from otel_arthur.genai.tables.provider_fields import COUNTS, PARAMETERS
from otel_arthur.genai.tables.sources import answer_at, answers_at, messages_at, question_at
from otel_arthur.genai.usage import of_google_adk

_REQUEST, _RESPONSE = "gcp.vertex.agent.llm_request", "gcp.vertex.agent.llm_response"
_WITHHELD = "{}"
"""What stands in the place of documents where their switch is off."""


def _switch(view: SpanView) -> str:
    if _REQUEST in view.attributes:
        return "ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS=true"
    return (
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only "
        "with OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental"
    )


DIALECT = Dialect(
    name="google-adk",
    reference="https://google.github.io/adk-docs/observability/",
    scopes=("gcp.vertex.agent",),
    is_bare=True,
    operation=operations.of_google_adk,
    fields=joined(
        semconv.FIELDS,
        {
            "conversation_id": ("gcp.vertex.agent.session_id",),
            "error_type": (f"{_RESPONSE}#error_code", f"{_RESPONSE}#errorCode"),
        },
        within(_REQUEST, PARAMETERS, under="config"),
        within(_RESPONSE, COUNTS, under="usage_metadata"),
        within(_RESPONSE, COUNTS, under="usageMetadata"),
    ),
    question=(messages_at("gen_ai.input.messages"), question_at(unless(_REQUEST, _WITHHELD))),
    answer=(answers_at("gen_ai.output.messages"), answer_at(unless(_RESPONSE, _WITHHELD))),
    system=(
        "gen_ai.system_instructions",
        f"{_REQUEST}#config.system_instruction",
        f"{_REQUEST}#config.systemInstruction",
    ),
    usage=of_google_adk,
    emits_log_events=True,
    content_switch=_switch,
)
