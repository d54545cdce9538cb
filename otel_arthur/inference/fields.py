"""The field catalogue: every value that the bridge can give an inference, by name.

The first six names are those of Arthur's LangChain callback handler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from msgspec import Struct

from otel_arthur.genai.call import Choice, LLMCall
from otel_arthur.inference import transcript

TEXT: Final = "UNSTRUCTURED_TEXT"
STRING: Final = "STRING"
INTEGER: Final = "INTEGER"
FLOAT: Final = "FLOAT"
BOOLEAN: Final = "BOOLEAN"
TIMESTAMP: Final = "TIMESTAMP"
STRINGS: Final = "ARRAY(STRING)"
TOKENS: Final = "TOKENS"
LIKELIHOODS: Final = "TOKEN_LIKELIHOODS"

INPUT_STAGE: Final = "PIPELINE_INPUT"
PREDICTED_STAGE: Final = "PREDICTED_VALUE"
METADATA_STAGE: Final = "NON_INPUT_DATA"
GROUND_TRUTH_STAGE: Final = "GROUND_TRUTH"


class Answer(Struct, frozen=True, gc=False):
    """One choice of a call, as the fields see it: one `Answer` becomes one inference."""

    call: LLMCall
    position: int
    choice: Choice | None
    """None for a call that failed before it answered."""
    input_text: str
    """Rendered once per call in the configured format."""


@dataclass(frozen=True, slots=True)
class Field:
    """One entry of the catalogue."""

    name: str
    value_type: str
    description: str
    source: str | Callable[[Answer], Any]
    """Where the value is: the path of an attribute of `LLMCall`, or what computes it. None: there is none."""
    stage: str = METADATA_STAGE
    is_content: bool = False
    """Words of a user or a model: redacted, cut to length, and left out of metadata-only inferences."""

    def value(self, answer: Answer) -> Any:
        """The field's value, None where the call has none."""
        source = self.source
        return attrgetter(source)(answer.call) if isinstance(source, str) else source(answer)


def _duration(answer: Answer) -> float:
    call = answer.call
    return max(call.end_ns - call.start_ns, 0) / 1e9


def _output_text(answer: Answer) -> str | None:
    return answer.choice.message.text if answer.choice is not None else None


def _tool_names(answer: Answer) -> list[str] | None:
    names = [call.name for call in answer.choice.message.tool_calls] if answer.choice else []
    return names or None


def _tokens(answer: Answer) -> list[str] | None:
    tokens = answer.choice.tokens if answer.choice else None
    return list(tokens) if tokens is not None else None


def _likelihoods(answer: Answer) -> list[Mapping[str, float]] | None:
    likelihoods = answer.choice.likelihoods if answer.choice else None
    return list(likelihoods) if likelihoods is not None else None


_CATALOGUE: tuple[Field, ...] = (
    Field("input_text", TEXT, "the messages sent to the model", lambda a: a.input_text, INPUT_STAGE, True),
    Field("output_text", TEXT, "the model's answer", _output_text, PREDICTED_STAGE, True),
    Field("prompt_tokens", INTEGER, "tokens in, cache reads included", "usage.input"),
    Field("completion_tokens", INTEGER, "tokens out, reasoning included", "usage.output"),
    Field(
        "finish_reason",
        STRING,
        "why the model stopped: stop, length, tool_calls, content_filter",
        lambda a: a.choice.finish_reason if a.choice else None,
    ),
    Field("duration", FLOAT, "seconds from start to end of the call", _duration),
    Field("total_tokens", INTEGER, "tokens in and out", "usage.total"),
    Field("cached_tokens", INTEGER, "input tokens read from a cache", "usage.cached"),
    Field("cache_write_tokens", INTEGER, "input tokens put into a cache", "usage.cache_write"),
    Field("reasoning_tokens", INTEGER, "output tokens spent on reasoning", "usage.reasoning"),
    Field(
        "time_to_first_token",
        FLOAT,
        "seconds until the first token of a stream",
        "time_to_first_token",
    ),
    Field(
        "model",
        STRING,
        "the model that answered, or else the one asked for",
        lambda a: a.call.response_model or a.call.request_model,
    ),
    Field("request_model", STRING, "the model asked for", "request_model"),
    Field("provider", STRING, "who serves the model", "provider"),
    Field("operation", STRING, "chat, text_completion, generate_content", "operation"),
    Field("temperature", FLOAT, "sampling temperature asked for", "temperature"),
    Field("top_p", FLOAT, "nucleus sampling asked for", "top_p"),
    Field("max_tokens", INTEGER, "output limit asked for", "max_tokens"),
    Field("response_id", STRING, "the provider's id of the answer", "response_id"),
    Field("conversation_id", STRING, "session or thread", "conversation_id"),
    Field("user_id", STRING, "the end user", "user_id"),
    Field(
        "system_prompt",
        STRING,
        "the system instructions alone",
        lambda a: transcript.system_text(a.call.messages),
        is_content=True,
    ),
    Field(
        "last_user_message",
        STRING,
        "the last user message alone",
        lambda a: transcript.last_user_text(a.call.messages),
        is_content=True,
    ),
    Field(
        "tool_calls",
        STRING,
        "tool calls of the answer, as JSON text",
        lambda a: transcript.tool_calls_json(a.choice.message) if a.choice else None,
        is_content=True,
    ),
    Field("tool_names", STRINGS, "names of the tools called", _tool_names),
    Field("output_tokens", TOKENS, "the answer's tokens", _tokens, PREDICTED_STAGE, True),
    Field(
        "output_likelihoods",
        LIKELIHOODS,
        "probability of each token and its alternatives",
        _likelihoods,
        PREDICTED_STAGE,
        True,
    ),
    Field("status", STRING, "ok or error", lambda a: "error" if a.call.failed else "ok"),
    Field("error_type", STRING, "class of the error", "error_type"),
    Field("trace_id", STRING, "trace of the call", "trace_id"),
    Field("span_id", STRING, "span of the call", "span_id"),
    Field("service_name", STRING, "service.name of the application", "service_name"),
    Field("environment", STRING, "deployment environment", "environment"),
    Field("choice_index", INTEGER, "which of the call's answers this is", lambda a: a.position),
    Field("choice_count", INTEGER, "how many answers the call has", lambda a: max(len(a.call.choices), 1)),
    Field("truncated", BOOLEAN, "whether a text was cut", "truncated"),
)

FIELDS: Mapping[str, Field] = {field.name: field for field in _CATALOGUE}
"""The catalogue by name, in its order."""
