"""OpenInference (Arize Phoenix and all that send to it), plain, hidden, or with GenAI attributes beside.

The marker is written last and so survives an attribute limit.
"""

from __future__ import annotations

from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.messages.content.tools import with_autogen_results
from otel_arthur.genai.tables import operations, sources, switches
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import beside, joined, matched, unless, within
from otel_arthur.genai.tables.provider_fields import COUNTS, METADATA, PARAMETERS
from otel_arthur.genai.usage import counted

_OUT, _COUNT = "output.value", "llm.token_count."
_KEPT = f"{_OUT}#generations.0.0.message.kwargs.response_metadata."
_COMPLETED = r"(completed)\Z"

DIALECT = Dialect(
    name="openinference",
    reference="https://github.com/Arize-ai/openinference/tree/main/spec",
    markers=("openinference.span.kind",),
    hints=("llm.model_name", "llm.token_count.total", "llm.output_messages.0.message.role"),
    scopes=("openinference.",),
    operation=operations.of_openinference,
    fields=joined(
        {
            "provider": ("llm.provider", "llm.system"),
            "response_model": (
                "gen_ai.response.model",
                f"{_KEPT}model_name",
                f"{_KEPT}model",
                beside(f"{_OUT}#model_name", "id"),
                # While a stream runs only the model asked for is known, and it stays in the attribute.
                beside(f"{_OUT}#model", "id"),
                "llm.model_name",
            ),
            "response_id": (
                "gen_ai.response.id",
                f"{_KEPT}id",
                f"{_OUT}#0.output.0.provider_data.response_id",
                unless(f"{_OUT}#id", "__fake_id__"),
            ),
            "usage.input": (f"{_COUNT}prompt",),
            "usage.output": (f"{_COUNT}completion",),
            "usage.total": (f"{_COUNT}total",),
            "usage.cached": (f"{_COUNT}prompt_details.cache_read",),
            "usage.cache_write": (f"{_COUNT}prompt_details.cache_write",),
            "usage.reasoning": (f"{_COUNT}completion_details.reasoning",),
            "conversation_id": ("session.id",),
        },
        within(_OUT, {field: COUNTS[field] for field in ("usage.cached", "usage.reasoning")}, under="usage"),
        {field: semconv.FIELDS[field] for field in ("temperature", "top_p", "max_tokens", "user_id")},
        within("llm.invocation_parameters", PARAMETERS),
        within("metadata", METADATA),
        semconv.FIELDS,
        # The request as it was, where the parameters leave the model out.
        {"request_model": (beside("input.value#model", "messages"), beside("input.value#model", "input"))},
    ),
    question=(
        sources.numbered_messages("llm.input_messages.", with_autogen_results),
        sources.numbered_prompts("llm.prompts"),
    ),
    answer=(sources.numbered_answers("llm.output_messages."), sources.numbered_completions("llm.choices.")),
    reasons=(
        "llm.finish_reason",
        *(f"{_OUT}#incomplete_details.reason", f"{_KEPT}incomplete_details.reason"),
        *(matched(f"{_OUT}#status", _COMPLETED), matched(f"{_KEPT}status", _COMPLETED)),
        f"{_OUT}#finish_reason",
    ),
    usage=counted,
    hidden="__REDACTED__",
    hides_answers=True,
    first_token_event="First Token Stream Event",
    content_switch=switches.of_openinference,
)
