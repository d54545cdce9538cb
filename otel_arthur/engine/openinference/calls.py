"""`LLMCall` as the attributes of an OpenInference span of kind LLM.

Source: OpenInference semantic conventions 0.1.42 (``openinference.semconv.trace``). The Engine reads text
in ``message.content``, never in ``message.contents``, and estimates each count of tokens that is absent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, cast

from otel_arthur.engine.openinference.safe_values import SafeAttributes, Value
from otel_arthur.genai.call import LLMCall, MediaPart, Message, ReasoningPart, TextPart, ToolResultPart
from otel_arthur.genai.json_text import json_text
from otel_arthur.inference import transcript
from otel_arthur.inference.privacy import Privacy, TextRules, Texts

KIND: Final = "openinference.span.kind"
LLM: Final = "LLM"
CHAIN: Final = "CHAIN"
INPUT: Final = "input.value"
OUTPUT: Final = "output.value"
MODEL: Final = "llm.model_name"
PARAMETERS: Final = "llm.invocation_parameters"
METADATA: Final = "metadata"
PLAIN: Final = "text/plain"

_TAGS: Final = "tags"
"""The field of `LLMCall.extra` that is a list of tags."""
_MODALITIES: Final = frozenset({"image", "audio", "video", "document", "file"})
"""The known kinds of media; any other word is a file."""
_PROVIDERS: Final = {
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "vertex_ai": "google",
    "aws.bedrock": "aws",
    "bedrock": "aws",
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "mistral_ai": "mistralai",
    "x_ai": "xai",
}
"""OpenTelemetry's names of providers -> OpenInference's ``llm.provider``; others are equal."""
_SYSTEMS: Final = {
    "azure.ai.openai": "openai",
    "gcp.vertex_ai": "vertexai",
    "vertex_ai": "vertexai",
    "mistral_ai": "mistralai",
}
"""OpenTelemetry's names of providers -> OpenInference's ``llm.system``, the vendor of the API's form."""


def attributes_of(call: LLMCall, rules: TextRules, mended: Counter[str]) -> dict[str, Value]:
    """The attributes of the span that stands for a call.

    Args:
        rules: redaction, length and content, as for inferences.
        mended: kind of mending -> number; the values that had to be made safe are added.
    """
    texts = Texts(rules)
    span = SafeAttributes(mended)
    span.put(KIND, LLM)
    span.put(MODEL, texts.apply(call.response_model or call.request_model, Privacy.NAME))
    if call.provider:
        provider = str(texts.apply(call.provider, Privacy.NAME))
        span.put("llm.provider", _PROVIDERS.get(provider, provider))
        span.put("llm.system", _SYSTEMS.get(provider, provider))
    span.put_json(PARAMETERS, _parameters(call, texts))
    if not rules.metadata_only:
        _put_messages(span, "llm.input_messages", call.messages, texts)
        _put_messages(span, "llm.output_messages", [choice.message for choice in call.choices], texts)
        put_text(span, INPUT, texts.apply(transcript.transcript(call.messages), Privacy.WORDS))
        put_text(
            span,
            OUTPUT,
            texts.apply(transcript.answer(call.choices[0].message) if call.choices else None, Privacy.WORDS),
        )
    if call.choices:
        span.put("llm.finish_reason", texts.apply(call.choices[0].finish_reason, Privacy.FINISH_REASON))
    _put_usage(span, call)
    span.put("session.id", texts.apply(call.conversation_id, Privacy.NAME))
    span.put("user.id", texts.apply(call.user_id, Privacy.NAME))
    span.put("tag.tags", _tags(texts.apply(call.extra.get(_TAGS), Privacy.WORDS)))
    span.put_json(METADATA, _metadata(call, texts), safe_keys=True)
    return span.values


def _put_messages(span: SafeAttributes, key: str, messages: Sequence[Message], texts: Texts) -> None:
    number = 0
    for message in messages:
        for one in _apart(message) if len(message.parts) > 1 else (message,):
            _put_message(span, f"{key}.{number}.message", one, texts)
            number += 1


def _apart(message: Message) -> list[Message]:
    """The message; several tool results become a message each, since each answers its own call."""
    results = [part for part in message.parts if isinstance(part, ToolResultPart)]
    if not results:
        return [message]
    rest = tuple(part for part in message.parts if not isinstance(part, ToolResultPart))
    apart = [Message("tool", (result,)) for result in results]
    return [*apart, Message(message.role, rest)] if rest else apart


def _put_message(span: SafeAttributes, key: str, message: Message, texts: Texts) -> None:
    span.put(f"{key}.role", texts.apply(message.role, Privacy.NAME))
    text, parts = message.text, message.parts
    if len(parts) == 1 and type(parts[0]) is TextPart:
        span.put(f"{key}.content", texts.apply(text, Privacy.WORDS))
        return
    calls = message.tool_calls
    if text or not calls:
        span.put(f"{key}.content", texts.apply(text, Privacy.WORDS))
    for number, call in enumerate(calls):
        tool = f"{key}.tool_calls.{number}.tool_call"
        span.put(f"{tool}.id", texts.apply(call.id, Privacy.NAME))
        span.put(f"{tool}.function.name", texts.apply(call.name, Privacy.NAME))
        span.put_json(f"{tool}.function.arguments", texts.apply(_arguments(call.arguments), Privacy.WORDS))
    number = 0
    for part in parts:
        content = f"{key}.contents.{number}.message_content"
        if isinstance(part, ToolResultPart):
            span.put(f"{key}.tool_call_id", texts.apply(part.id, Privacy.NAME))
        elif isinstance(part, ReasoningPart):
            span.put(f"{content}.type", "reasoning")
            span.put(f"{content}.text", texts.apply(part.text, Privacy.WORDS))
            number += 1
        elif isinstance(part, MediaPart):
            modality = part.modality if part.modality in _MODALITIES else "file"
            span.put(f"{content}.type", modality)
            span.put(f"{content}.{modality}.{modality}.url", texts.apply(part.name, Privacy.WORDS))
            number += 1


def _arguments(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json_text({} if arguments is None else arguments)


def put_text(span: SafeAttributes, key: str, text: str | None) -> None:
    """A value as plain text: the Engine would reject JSON with a ``/`` in a key."""
    if text:
        span.put(key, text)
        span.put(mime_type_of(key), PLAIN)


def mime_type_of(key: str) -> str:
    return key.replace(".value", ".mime_type")


def _put_usage(span: SafeAttributes, call: LLMCall) -> None:
    """All counts. A failed call without counts has zeros, since the Engine estimates what is absent."""
    usage = call.usage
    absent = 0 if call.failed else None
    span.put_count("llm.token_count.prompt", absent if usage.input is None else usage.input)
    span.put_count("llm.token_count.completion", absent if usage.output is None else usage.output)
    total = usage.total
    if total is None and usage.input is not None and usage.output is not None:
        total = usage.input + usage.output
    span.put_count("llm.token_count.total", absent if total is None else total)
    span.put_count("llm.token_count.prompt_details.cache_read", usage.cached)
    span.put_count("llm.token_count.prompt_details.cache_write", usage.cache_write)
    span.put_count("llm.token_count.completion_details.reasoning", usage.reasoning)


def _parameters(call: LLMCall, texts: Texts) -> dict[str, Any] | None:
    parameters = {
        "model": texts.apply(call.request_model, Privacy.NAME),
        "temperature": call.temperature,
        "top_p": call.top_p,
        "max_tokens": call.max_tokens,
    }
    return {name: value for name, value in parameters.items() if value is not None} or None


def _tags(value: Any) -> list[str] | None:
    """A list of texts; some write such a list as one text with commas."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list):
        return None
    return [tag.strip() for tag in cast("list[Any]", value) if isinstance(tag, str) and tag.strip()] or None


def _metadata(call: LLMCall, texts: Texts) -> dict[str, Any] | None:
    """Fields that OpenInference has no attribute for, and the application's own attributes."""
    values: dict[str, Any] = {
        "operation": texts.apply(call.operation, Privacy.NAME),
        "response_id": texts.apply(call.response_id, Privacy.NAME),
        "environment": texts.apply(call.environment, Privacy.NAME),
        "time_to_first_token": call.time_to_first_token,
        "dialect": call.dialect,
        "truncated": call.truncated or texts.cut or None,
        **{name: texts.apply(value, Privacy.WORDS) for name, value in call.extra.items() if name != _TAGS},
    }
    return {name: value for name, value in values.items() if value is not None} or None
