"""Logfire's own instrumentations of provider clients: semantic conventions, and before them the raw request.

Reference: https://logfire.pydantic.dev/docs/integrations/llms. Detects: its scopes. A stream is a span
that ends when the first words come, and a log line, which is a span of no length, when it is over:
the line has the answer and stands for the call.
"""

from __future__ import annotations

from typing import Any, cast

from otel_arthur.genai.bag import Bag, document, number
from otel_arthur.genai.call import Choice
from otel_arthur.genai.dialect import Conversation, Dialect
from otel_arthur.genai.dialects import pydantic_ai, semconv
from otel_arthur.genai.messages.documents import (
    request_fields,
    request_messages,
    response_choices,
    usage_fields,
)
from otel_arthur.genai.messages.finish_reasons import finish_reason_of
from otel_arthur.genai.messages.message import output_choices
from otel_arthur.genai.span import SpanView

_RAW_USAGE, _REQUEST, _RESPONSE = "gen_ai.usage.raw", "request_data", "response_data"
_ANSWERS = ("gen_ai.output.messages", _RESPONSE, "gen_ai.usage.output_tokens", "gen_ai.response.id")


def _operation(view: SpanView) -> str | None:
    attributes = view.attributes
    is_line = attributes.get("logfire.span_type") == "log"
    began = not is_line and view.status_code == 0 and not any(key in attributes for key in _ANSWERS)
    if began or not (is_line or _REQUEST in attributes or "gen_ai.operation.name" in attributes):
        return None
    # Of version 1, the events of the first span are the question, those of the line have the answer.
    if is_line and not any(key in attributes for key in (*_ANSWERS, "events")):
        return None
    return semconv.operation(view) or ("chat" if "gen_ai.operation.name" not in attributes else None)


def _derived(bag: Bag) -> dict[str, tuple[Any, str]]:
    usage = document(bag.attributes.get(_RAW_USAGE))
    if not usage:
        usage = document(document(bag.attributes.get(_RESPONSE)).get("usage"))
    duration = number(bag.attributes.get("duration"))
    began = bag.view.start_ns - int((duration or 0) * 1e9)
    return {
        "start_ns": (began if bag.attributes.get("logfire.span_type") == "log" else None, "duration"),
        **{field: (value, _REQUEST) for field, value in request_fields(_request(bag)).items()},
        **{field: (value, _RAW_USAGE) for field, value in usage_fields(usage).items()},
    }


def _conversation(bag: Bag) -> Conversation:
    told = pydantic_ai.conversation(bag)
    if told.messages and told.choices:
        return told
    response = document(bag.attributes.get(_RESPONSE))
    words = response.get("combined_chunk_content", response.get("text"))
    choices = output_choices(words) if words is not None else []
    if not choices and response:
        choices = response_choices({"choices": [response]})
    reasons = bag.take_json("finish_reasons", semconv.FINISH_REASONS)
    if isinstance(reasons, list) and reasons:
        choices = [
            choice if choice.finish_reason else Choice(choice.message, finish_reason_of(reason))
            for choice, reason in zip(choices, cast("list[Any]", reasons), strict=False)
        ]
    return Conversation(
        told.messages or tuple(request_messages(_request(bag))), told.choices or tuple(choices)
    )


def _request(bag: Bag) -> Any:
    return document(bag.attributes.get(_REQUEST))


DIALECT = Dialect(
    name="logfire",
    reference="https://logfire.pydantic.dev/docs/integrations/llms/openai/",
    scopes=("logfire.",),
    operation=_operation,
    keys=semconv.KEYS,
    derived=_derived,
    conversation=_conversation,
    content_switch="no scrubbing of messages: logfire.configure(scrubbing=False)",
)
