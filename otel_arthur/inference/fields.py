"""The field catalogue: every value that the bridge can give an inference, by name.

The first six names are those of Arthur's LangChain callback handler.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from otel_arthur.genai.call import LLMCall
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
    system_prompt: str | None
    last_user_message: str | None
    tool_calls: str | None
    """As JSON."""
    tool_names: list[str] | None
    tokens: list[str] | None
    likelihoods: list[Mapping[str, float]] | None
    choice_count: int


def answers_of(call: LLMCall, input_text: str | None) -> list[Answer]:
    """One for each choice, or one for a call that failed without answering.

    Args:
        input_text: None is the transcript.
    """
    duration = max(call.end_ns - call.start_ns, 0) / 1e9
    model = call.response_model or call.request_model
    status = "error" if call.failed else "ok"
    lines, system, asked = transcript.said(call.messages)
    if input_text is None:
        input_text = "\n".join(lines)
    count = max(len(call.choices) + call.choices_left_out, 1)
    common = (duration, model, status, system, asked)
    if not call.choices:
        return [Answer(call, 0, input_text, None, None, *common, None, None, None, None, count)]
    answers: list[Answer] = []
    for position, choice in enumerate(call.choices):
        message = choice.message
        told: str | None = None
        names: list[str] | None = None
        if tools := message.tool_calls:
            told, names = transcript.tool_calls_json(message), [tool.name for tool in tools]
        tokens = None if choice.tokens is None else list(choice.tokens)
        likelihoods = None if choice.likelihoods is None else list(choice.likelihoods)
        reason, words = choice.finish_reason, message.text
        more = (told, names, tokens, likelihoods, count)
        answers.append(Answer(call, position, input_text, words, reason, *common, *more))
    return answers


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    value_type: str
    description: str
    source: str
    """Where the value is, None where there is none: the path of an attribute of `Answer`."""
    privacy: Privacy = Privacy.MEASURE
    stage: str = METADATA_STAGE


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
    Field("system_prompt", STRING, "the system instructions alone", "system_prompt", _WORDS),
    Field("last_user_message", STRING, "the last user message alone", "last_user_message", _WORDS),
    Field("tool_calls", STRING, "tool calls of the answer, as JSON text", "tool_calls", _WORDS),
    Field("tool_names", STRINGS, "names of the tools called", "tool_names", _NAME),
    Field("output_tokens", TOKENS, "the answer's tokens", "tokens", _WORDS, PREDICTED_STAGE),
    Field("output_likelihoods", LIKELIHOODS, _ALTERNATIVES, "likelihoods", _WORDS, PREDICTED_STAGE),
    Field("status", STRING, "ok or error", "status"),
    Field("error_type", STRING, "class of the error", "call.error_type", Privacy.ERROR_TYPE),
    Field("error_message", STRING, "what the error says", "call.error_message", _WORDS),
    Field("trace_id", STRING, "trace of the call", "call.trace_id"),
    Field("span_id", STRING, "span of the call", "call.span_id"),
    Field("service_name", STRING, "service.name of the application", "call.service_name", _ID),
    Field("environment", STRING, "deployment environment", "call.environment", _ID),
    Field("choice_index", INTEGER, "which of the call's answers this is", "position"),
    Field("choice_count", INTEGER, "how many answers the call has", "choice_count"),
    Field("truncated", BOOLEAN, "whether a text was cut", "call.truncated"),
)

FIELDS: Mapping[str, Field] = {field.name: field for field in _CATALOGUE}
"""The catalogue by name, in its order."""
BEHIND: Final = frozenset(
    {
        *("system_prompt", "last_user_message", "tool_calls", "tool_names"),
        *("output_tokens", "output_likelihoods", "choice_count"),
    }
)
"""What stands behind all others in a row: readers know the order."""
