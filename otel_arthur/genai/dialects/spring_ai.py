"""Spring AI: semantic conventions through Micrometer, so that every value is text, a list its JSON.

What has a ``spring.ai.kind`` (chat client, advisor, tool, vector store) is around the call. Milestones before
1.0 wrote texts without roles into ``gen_ai.prompt`` and ``gen_ai.completion``. 1.1.2 and 2.0.1 write words to
the application's log only: messages come from an observation filter of the application.
"""

from __future__ import annotations

from otel_arthur.genai import calls
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import joined, unless
from otel_arthur.genai.tables.sources import answer_texts_at, answers_at, messages_at, texts_at
from otel_arthur.genai.usage import counted


def _operation(view: SpanView) -> str | None:
    return None if "spring.ai.kind" in view.attributes else calls.operation(view)


DIALECT = Dialect(
    name="spring-ai",
    reference="https://docs.spring.io/spring-ai/reference/observability/",
    markers=("spring.ai.kind",),
    scopes=("org.springframework.boot", "org.springframework.ai", "io.micrometer.tracing"),
    operation=_operation,
    fields=joined(
        {"conversation_id": ("spring.ai.chat.client.conversation.id",)},
        {
            **semconv.FIELDS,
            # Micrometer has no absent value: a model that is not known is ``none``.
            "request_model": (unless("gen_ai.request.model", "none"),),
            "response_model": (unless("gen_ai.response.model", "none"),),
        },
    ),
    question=(
        messages_at("gen_ai.input.messages"),
        texts_at("@gen_ai.content.prompt/gen_ai.prompt", "gen_ai.prompt"),
    ),
    answer=(
        answers_at("gen_ai.output.messages"),
        answer_texts_at("@gen_ai.content.completion/gen_ai.completion", "gen_ai.completion"),
    ),
    usage=counted,
    content_note=(
        "Spring AI's settings write none onto spans in any version; a bean ObservationFilter does "
        "(docs/frameworks/spring-ai.md)"
    ),
)
