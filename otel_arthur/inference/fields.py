"""The field catalogue: every value that the bridge can give an inference, by name.

The first six names are those of Arthur's LangChain callback handler.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from otel_arthur.genai.call import LLMCall
from otel_arthur.inference import transcript
from otel_arthur.inference.privacy import Privacy
from otel_arthur.inference.times import seconds_between

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


Values: TypeAlias = list[Any]
"""What one choice of a call has for each field of the catalogue, in its order; None for what is not there."""


def values_of(call: LLMCall, input_text: str | None) -> list[Values]:
    """The values for each choice, or for a call that failed without answering: each becomes one inference.

    Args:
        input_text: rendered in the configured format; None is the transcript.
    """
    usage, model = call.usage, call.request_model
    said, system, asked = transcript.said(call.messages)
    input_text = said if input_text is None else input_text
    of_call: Values = [
        *(input_text, None, usage.input, usage.output, None, seconds_between(call.start_ns, call.end_ns)),
        *(usage.total, usage.cached, usage.cache_write, usage.reasoning, call.time_to_first_token),
        *(call.response_model or model, model, call.provider, call.operation, call.temperature, call.top_p),
        *(call.max_tokens, call.response_id, call.conversation_id, call.user_id, system, asked),
        *(None, None, None, None, "error" if call.failed else "ok", call.error_type, call.error_message),
        *(call.trace_id, call.span_id, call.service_name, call.environment, 0),
        *(max(len(call.choices) + call.choices_left_out, 1), call.truncated),
    ]
    values: list[Values] = []
    last = len(call.choices) - 1
    for position, choice in enumerate(call.choices):
        # The last choice takes the list itself: nothing of another choice is in it.
        of_choice = of_call if position == last else of_call.copy()
        message, words = choice.message, choice.message.text
        of_choice[OUTPUT_TEXT], of_choice[_FINISH_REASON] = words, choice.finish_reason
        if (len(message.parts) > 1 or not words) and (tools := message.tool_calls):
            of_choice[_TOOL_CALLS] = transcript.tool_calls_json(message)
            of_choice[_TOOL_NAMES] = [tool.name for tool in tools]
        if choice.tokens is not None:
            of_choice[_TOKENS] = list(choice.tokens)
        if choice.likelihoods is not None:
            of_choice[_LIKELIHOODS] = list(choice.likelihoods)
        of_choice[_CHOICE_INDEX] = position
        values.append(of_choice)
    return values or [of_call]


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    value_type: str
    description: str
    privacy: Privacy = Privacy.MEASURE
    stage: str = METADATA_STAGE


_REASONS = "why the model stopped: stop, length, tool_calls, content_filter"
_FIRST_TOKEN = "seconds until the first token of a stream"
_ALTERNATIVES = "probability of each token and its alternatives"
_WORDS, _NAME, _ID = Privacy.WORDS, Privacy.NAME, Privacy.IDENTIFIER

_CATALOGUE: tuple[Field, ...] = (
    Field("input_text", TEXT, "the messages sent to the model", _WORDS, INPUT_STAGE),
    Field("output_text", TEXT, "the model's answer", _WORDS, PREDICTED_STAGE),
    Field("prompt_tokens", INTEGER, "tokens in, cache reads included"),
    Field("completion_tokens", INTEGER, "tokens out, reasoning included"),
    Field("finish_reason", STRING, _REASONS, Privacy.FINISH_REASON),
    Field("duration", FLOAT, "seconds from start to end of the call"),
    Field("total_tokens", INTEGER, "tokens in and out"),
    Field("cached_tokens", INTEGER, "input tokens read from a cache"),
    Field("cache_write_tokens", INTEGER, "input tokens put into a cache"),
    Field("reasoning_tokens", INTEGER, "output tokens spent on reasoning"),
    Field("time_to_first_token", FLOAT, _FIRST_TOKEN),
    Field("model", STRING, "the model that answered, or else the one asked for", _ID),
    Field("request_model", STRING, "the model asked for", _ID),
    Field("provider", STRING, "who serves the model", _ID),
    Field("operation", STRING, "chat, text_completion, generate_content", _ID),
    Field("temperature", FLOAT, "sampling temperature asked for"),
    Field("top_p", FLOAT, "nucleus sampling asked for"),
    Field("max_tokens", INTEGER, "output limit asked for"),
    Field("response_id", STRING, "the provider's id of the answer", _ID),
    Field("conversation_id", STRING, "session or thread", _NAME),
    Field("user_id", STRING, "the end user", _NAME),
    Field("system_prompt", STRING, "the system instructions alone", _WORDS),
    Field("last_user_message", STRING, "the last user message alone", _WORDS),
    Field("tool_calls", STRING, "tool calls of the answer, as JSON text", _WORDS),
    Field("tool_names", STRINGS, "names of the tools called", _NAME),
    Field("output_tokens", TOKENS, "the answer's tokens", _WORDS, PREDICTED_STAGE),
    Field("output_likelihoods", LIKELIHOODS, _ALTERNATIVES, _WORDS, PREDICTED_STAGE),
    Field("status", STRING, "ok or error"),
    Field("error_type", STRING, "class of the error", Privacy.ERROR_TYPE),
    Field("error_message", STRING, "what the error says", _WORDS),
    Field("trace_id", STRING, "trace of the call"),
    Field("span_id", STRING, "span of the call"),
    Field("service_name", STRING, "service.name of the application", _ID),
    Field("environment", STRING, "deployment environment", _ID),
    Field("choice_index", INTEGER, "which of the call's answers this is"),
    Field("choice_count", INTEGER, "how many answers the call has"),
    Field("truncated", BOOLEAN, "whether a text was cut"),
)

FIELDS: Mapping[str, Field] = {field.name: field for field in _CATALOGUE}
"""The catalogue by name, in its order."""
PLACES: Final[Mapping[str, int]] = {name: place for place, name in enumerate(FIELDS)}
"""Place of each field's value in `Values`."""
OUTPUT_TEXT: Final = PLACES["output_text"]
_FINISH_REASON, _CHOICE_INDEX = PLACES["finish_reason"], PLACES["choice_index"]
_TOOL_CALLS, _TOOL_NAMES = PLACES["tool_calls"], PLACES["tool_names"]
_TOKENS, _LIKELIHOODS = PLACES["output_tokens"], PLACES["output_likelihoods"]
BEHIND: Final = frozenset(
    {
        *("system_prompt", "last_user_message", "tool_calls", "tool_names"),
        *("output_tokens", "output_likelihoods", "choice_count"),
    }
)
"""What stands behind all others in a row: readers know the order."""
