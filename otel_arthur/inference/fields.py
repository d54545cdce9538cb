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
    name: str
    value_type: str
    description: str
    source: str | Callable[[Answer], Any]
    """Where the value is: the path of an attribute of `Answer`, or what computes it. None: there is none."""
    privacy: Privacy = Privacy.MEASURE
    stage: str = METADATA_STAGE

    def value(self, answer: Answer) -> Any:
        """The field's value, None where the call has none."""
        source = self.source
        return attrgetter(source)(answer) if isinstance(source, str) else source(answer)


def _system_prompt(answer: Answer) -> Any:
    return transcript.system_text(answer.call.messages)


def _last_user_message(answer: Answer) -> Any:
    return transcript.last_user_text(answer.call.messages)


def _tool_calls(answer: Answer) -> Any:
    return transcript.tool_calls_json(answer.choice.message) if answer.choice else None


def _tool_names(answer: Answer) -> Any:
    return [call.name for call in answer.choice.message.tool_calls] or None if answer.choice else None


def _tokens(answer: Answer) -> Any:
    return list(answer.choice.tokens) if answer.choice and answer.choice.tokens is not None else None


def _likelihoods(answer: Answer) -> Any:
    choice = answer.choice
    return list(choice.likelihoods) if choice and choice.likelihoods is not None else None


_REASONS = "why the model stopped: stop, length, tool_calls, content_filter"
_FIRST_TOKEN = "seconds until the first token of a stream"
_ALTERNATIVES = "probability of each token and its alternatives"
_WORDS, _NAME, _ID = Privacy.WORDS, Privacy.NAME, Privacy.IDENTIFIER

_CATALOGUE: tuple[Field, ...] = (
    Field("input_text", TEXT, "the messages sent to the model", "input_text", _WORDS, INPUT_STAGE),
    Field("output_text", TEXT, "the model's answer", "output_text", _WORDS, PREDICTED_STAGE),
    Field("prompt_tokens", INTEGER, "tokens in, cache reads included", "call.usage.input"),
    Field("completion_tokens", INTEGER, "tokens out, reasoning included", "call.usage.output"),
    Field("finish_reason", STRING, _REASONS, "finish_reason", Privacy.FINISH_REASON),
    Field("duration", FLOAT, "seconds from start to end of the call", "duration"),
    Field("total_tokens", INTEGER, "tokens in and out", "call.usage.total"),
    Field("cached_tokens", INTEGER, "input tokens read from a cache", "call.usage.cached"),
    Field("cache_write_tokens", INTEGER, "input tokens put into a cache", "call.usage.cache_write"),
    Field("reasoning_tokens", INTEGER, "output tokens spent on reasoning", "call.usage.reasoning"),
    Field("time_to_first_token", FLOAT, _FIRST_TOKEN, "call.time_to_first_token"),
    Field("model", STRING, "the model that answered, or else the one asked for", "model", _ID),
    Field("request_model", STRING, "the model asked for", "call.request_model", _ID),
    Field("provider", STRING, "who serves the model", "call.provider", _ID),
    Field("operation", STRING, "chat, text_completion, generate_content", "call.operation", _ID),
    Field("temperature", FLOAT, "sampling temperature asked for", "call.temperature"),
    Field("top_p", FLOAT, "nucleus sampling asked for", "call.top_p"),
    Field("max_tokens", INTEGER, "output limit asked for", "call.max_tokens"),
    Field("response_id", STRING, "the provider's id of the answer", "call.response_id", _ID),
    Field("conversation_id", STRING, "session or thread", "call.conversation_id", _NAME),
    Field("user_id", STRING, "the end user", "call.user_id", _NAME),
    Field("system_prompt", STRING, "the system instructions alone", _system_prompt, _WORDS),
    Field("last_user_message", STRING, "the last user message alone", _last_user_message, _WORDS),
    Field("tool_calls", STRING, "tool calls of the answer, as JSON text", _tool_calls, _WORDS),
    Field("tool_names", STRINGS, "names of the tools called", _tool_names, _NAME),
    Field("output_tokens", TOKENS, "the answer's tokens", _tokens, _WORDS, PREDICTED_STAGE),
    Field("output_likelihoods", LIKELIHOODS, _ALTERNATIVES, _likelihoods, _WORDS, PREDICTED_STAGE),
    Field("status", STRING, "ok or error", "status"),
    Field("error_type", STRING, "class of the error", "call.error_type", Privacy.ERROR_TYPE),
    Field("trace_id", STRING, "trace of the call", "call.trace_id"),
    Field("span_id", STRING, "span of the call", "call.span_id"),
    Field("service_name", STRING, "service.name of the application", "call.service_name", _ID),
    Field("environment", STRING, "deployment environment", "call.environment", _ID),
    Field("choice_index", INTEGER, "which of the call's answers this is", "position"),
    Field("choice_count", INTEGER, "how many answers the call has", _choice_count),
    Field("truncated", BOOLEAN, "whether a text was cut", "call.truncated"),
)

FIELDS: Mapping[str, Field] = {field.name: field for field in _CATALOGUE}
"""The catalogue by name, in its order."""
