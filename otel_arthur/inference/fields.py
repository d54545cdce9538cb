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
from otel_arthur.inference.privacy import Privacy

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
    output_text: str | None
    finish_reason: str | None
    duration: float
    """Seconds."""
    model: str | None
    """The model that answered, or else the one asked for."""
    status: str
    """``ok`` or ``error``."""


def answers_of(call: LLMCall, input_text: str) -> list[Answer]:
    """One for each choice, or one for a call that failed without answering."""
    duration = max(call.end_ns - call.start_ns, 0) / 1e9
    model = call.response_model or call.request_model
    status = "error" if call.failed else "ok"
    return [
        Answer(
            call,
            position,
            choice,
            input_text,
            None if choice is None else choice.message.text,
            None if choice is None else choice.finish_reason,
            duration,
            model,
            status,
        )
        for position, choice in enumerate(call.choices or (None,))
    ]


def _choice_count(answer: Answer) -> int:
    return max(len(answer.call.choices) + answer.call.choices_left_out, 1)


@dataclass(frozen=True, slots=True)
class Field:
    """One entry of the catalogue."""

    name: str
    value_type: str
    description: str
    source: str | Callable[[Answer], Any]
    """Where the value is: the path of an attribute of `Answer`, or what computes it. None: there is none."""
    stage: str = METADATA_STAGE
    privacy: Privacy = Privacy.MEASURE

    def value(self, answer: Answer) -> Any:
        """The field's value, None where the call has none."""
        source = self.source
        return attrgetter(source)(answer) if isinstance(source, str) else source(answer)


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
    Field("input_text", TEXT, "the messages sent to the model", "input_text", INPUT_STAGE, Privacy.WORDS),
    Field("output_text", TEXT, "the model's answer", "output_text", PREDICTED_STAGE, Privacy.WORDS),
    Field("prompt_tokens", INTEGER, "tokens in, cache reads included", "call.usage.input"),
    Field("completion_tokens", INTEGER, "tokens out, reasoning included", "call.usage.output"),
    Field(
        "finish_reason",
        STRING,
        "why the model stopped: stop, length, tool_calls, content_filter",
        "finish_reason",
        privacy=Privacy.FINISH_REASON,
    ),
    Field("duration", FLOAT, "seconds from start to end of the call", "duration"),
    Field("total_tokens", INTEGER, "tokens in and out", "call.usage.total"),
    Field("cached_tokens", INTEGER, "input tokens read from a cache", "call.usage.cached"),
    Field("cache_write_tokens", INTEGER, "input tokens put into a cache", "call.usage.cache_write"),
    Field("reasoning_tokens", INTEGER, "output tokens spent on reasoning", "call.usage.reasoning"),
    Field(
        "time_to_first_token",
        FLOAT,
        "seconds until the first token of a stream",
        "call.time_to_first_token",
    ),
    Field(
        "model",
        STRING,
        "the model that answered, or else the one asked for",
        "model",
        privacy=Privacy.IDENTIFIER,
    ),
    Field("request_model", STRING, "the model asked for", "call.request_model", privacy=Privacy.IDENTIFIER),
    Field("provider", STRING, "who serves the model", "call.provider", privacy=Privacy.IDENTIFIER),
    Field(
        "operation",
        STRING,
        "chat, text_completion, generate_content",
        "call.operation",
        privacy=Privacy.IDENTIFIER,
    ),
    Field("temperature", FLOAT, "sampling temperature asked for", "call.temperature"),
    Field("top_p", FLOAT, "nucleus sampling asked for", "call.top_p"),
    Field("max_tokens", INTEGER, "output limit asked for", "call.max_tokens"),
    Field(
        "response_id",
        STRING,
        "the provider's id of the answer",
        "call.response_id",
        privacy=Privacy.IDENTIFIER,
    ),
    Field("conversation_id", STRING, "session or thread", "call.conversation_id", privacy=Privacy.NAME),
    Field("user_id", STRING, "the end user", "call.user_id", privacy=Privacy.NAME),
    Field(
        "system_prompt",
        STRING,
        "the system instructions alone",
        lambda a: transcript.system_text(a.call.messages),
        privacy=Privacy.WORDS,
    ),
    Field(
        "last_user_message",
        STRING,
        "the last user message alone",
        lambda a: transcript.last_user_text(a.call.messages),
        privacy=Privacy.WORDS,
    ),
    Field(
        "tool_calls",
        STRING,
        "tool calls of the answer, as JSON text",
        lambda a: transcript.tool_calls_json(a.choice.message) if a.choice else None,
        privacy=Privacy.WORDS,
    ),
    Field("tool_names", STRINGS, "names of the tools called", _tool_names, privacy=Privacy.NAME),
    Field("output_tokens", TOKENS, "the answer's tokens", _tokens, PREDICTED_STAGE, Privacy.WORDS),
    Field(
        "output_likelihoods",
        LIKELIHOODS,
        "probability of each token and its alternatives",
        _likelihoods,
        PREDICTED_STAGE,
        Privacy.WORDS,
    ),
    Field("status", STRING, "ok or error", "status"),
    Field("error_type", STRING, "class of the error", "call.error_type", privacy=Privacy.ERROR_TYPE),
    Field("trace_id", STRING, "trace of the call", "call.trace_id"),
    Field("span_id", STRING, "span of the call", "call.span_id"),
    Field(
        "service_name",
        STRING,
        "service.name of the application",
        "call.service_name",
        privacy=Privacy.IDENTIFIER,
    ),
    Field("environment", STRING, "deployment environment", "call.environment", privacy=Privacy.IDENTIFIER),
    Field("choice_index", INTEGER, "which of the call's answers this is", "position"),
    Field("choice_count", INTEGER, "how many answers the call has", _choice_count),
    Field("truncated", BOOLEAN, "whether a text was cut", "call.truncated"),
)

FIELDS: Mapping[str, Field] = {field.name: field for field in _CATALOGUE}
"""The catalogue by name, in its order."""
