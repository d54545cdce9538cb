"""OpenLLMetry (Traceloop) from 0.55 on: GenAI semantic conventions with its own association properties.

Reference: traceloop/openllmetry, ``opentelemetry-semantic-conventions-ai``. Detects: its scopes.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec.structs import replace

from otel_arthur.genai import calls
from otel_arthur.genai.attributes import SpanAttributes, as_map
from otel_arthur.genai.call import Usage
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import LONGEST_SCOPE, Conversation, Dialect
from otel_arthur.genai.tables.places import joined, within
from otel_arthur.genai.tables.provider_fields import COUNTS, below
from otel_arthur.genai.tables.sources import answer_at, answers_at, messages_at, question_at
from otel_arthur.genai.usage import inclusive

_LLAMA_INDEX, _ENTITY = "opentelemetry.instrumentation.llamaindex", "traceloop.entity."
_RAW = {"response_id": ("id",), "response_model": ("model",), **below("usage", COUNTS)}
_ASSOCIATION = "traceloop.association.properties."

FIELDS = joined(
    {
        "conversation_id": (
            "gen_ai.conversation.id",
            *(f"{_ASSOCIATION}{name}" for name in ("thread_id", "session_id", "conversation_id")),
        ),
        "user_id": (f"{_ASSOCIATION}user_id", "gen_ai.user", "llm.user"),
    },
    semconv.FIELDS,
)

_VENDORS = frozenset(
    {
        *(
            "alephalpha",
            "anthropic",
            "bedrock",
            "cohere",
            "crewai",
            "google_generativeai",
            "groq",
            "haystack",
        ),
        *("langchain", "llamaindex", "mistralai", "ollama", "openai", "openai_agents", "replicate"),
        *("sagemaker", "together", "transformers", "vertexai", "voyageai", "watsonx", "writer"),
    }
)
_SCOPE = "opentelemetry.instrumentation."
_BEDROCK = f"{_SCOPE}bedrock"


def is_scope(scope: str) -> bool:
    """Whether OpenLLMetry wrote it; the official packages' scopes go on with ``genai.`` instead."""
    return _is_scope(scope[:LONGEST_SCOPE])


@lru_cache(maxsize=256)
def _is_scope(scope: str) -> bool:
    if not scope.startswith(_SCOPE):
        return False
    vendor, _, rest = scope[len(_SCOPE) :].partition(".")
    # OpenLLMetry's own for OpenAI ends with the version of its API; Elastic's package has the bare one.
    return vendor in _VENDORS and rest in (("v0", "v1") if vendor == "openai" else ("", "v0", "v1"))


def _owns(view: SpanView) -> bool:
    return is_scope(view.scope)


def _operation(view: SpanView) -> str | None:
    """LlamaIndex's `complete` has no attribute of the conventions: its task is told by what it returned."""
    attributes = view.attributes
    if attributes.get("traceloop.span.kind") == "task" and "gen_ai.operation.name" not in attributes:
        returned = as_map(attributes.get(f"{_ENTITY}output") if view.scope == _LLAMA_INDEX else None)
        return "text_completion" if "text" in returned and as_map(returned.get("raw")) else None
    return calls.operation(view)


def per_call(usage: Usage, conversation: Conversation, attributes: SpanAttributes) -> Usage:
    """Undo LangChain's n-fold count: each choice repeats the call's usage, and all are summed.

    Bedrock's counts are its own, which exclude the cache, and their sum is the instrumentation's.
    """
    if attributes.view.scope == _BEDROCK:
        return inclusive(usage, cache_outside=True)
    n = len(conversation.choices)
    if n < 2 or attributes.view.scope != "opentelemetry.instrumentation.langchain":
        return usage
    if any(count is not None and count % n for count in (usage.input, usage.output, usage.total)):
        return usage
    return replace(
        usage,
        input=_divided(usage.input, n),
        output=_divided(usage.output, n),
        total=_divided(usage.total, n),
        cached=_divided(usage.cached, n),
        cache_write=_divided(usage.cache_write, n),
        reasoning=_divided(usage.reasoning, n),
    )


def _divided(count: int | None, n: int) -> int | None:
    return None if count is None else count // n


DIALECT = Dialect(
    name="openllmetry",
    reference="https://github.com/traceloop/openllmetry",
    hints=(f"{_ENTITY}output",),
    owns=_owns,
    operation=_operation,
    fields=joined(FIELDS, within(f"{_ENTITY}output", _RAW, under="raw")),
    question=(messages_at("gen_ai.input.messages"), question_at(f"{_ENTITY}input#args.0", f"{_ENTITY}input")),
    answer=(answers_at("gen_ai.output.messages"), answer_at(f"{_ENTITY}output")),
    reasons=(f"{_ENTITY}output#raw.choices.0.finish_reason",),
    usage=per_call,
    first_token_event="gen_ai.content.completion.chunk",
    content_switch="TRACELOOP_TRACE_CONTENT=true",
)
