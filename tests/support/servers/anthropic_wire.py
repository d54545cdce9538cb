"""The test server's Anthropic endpoint: (request, answer, response id) to a body or a list of events."""

from __future__ import annotations

import json
from typing import Any

from tests.support.servers.openai_answers import (
    CACHED_TOKENS,
    COMPLETION_TOKENS,
    PROMPT_TOKENS,
    REASONING_TOKENS,
    RESPONSE_MODEL,
    TOOL_ARGUMENTS,
    TOOL_CALL_ID,
    TOOL_NAME,
    Answer,
    tokens_of,
)

JSON = dict[str, Any]

_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}


def messages_asked(request: JSON) -> list[JSON]:
    """The messages as OpenAI's API has them, where a tool's result is a message of its own."""
    found: list[JSON] = []
    for message in request.get("messages") or []:
        content = message["content"]
        is_result = isinstance(content, list) and any(part["type"] == "tool_result" for part in content)
        found.append({"role": "tool"} if is_result else message)
    return found


def messages_body(_request: JSON, answer: Answer, response_id: str) -> JSON:
    return _message(response_id) | {
        "content": [_block(answer)],
        "stop_reason": _STOP_REASONS[answer.finish_reason],
        "usage": _usage(COMPLETION_TOKENS),
    }


def messages_events(_request: JSON, answer: Answer, response_id: str) -> list[JSON]:
    whole = _block(answer)
    if answer.tool_call:
        deltas = [{"type": "input_json_delta", "partial_json": TOOL_ARGUMENTS}]
        start = whole | {"input": {}}
    else:
        deltas = [{"type": "text_delta", "text": token} for token in tokens_of(answer.texts[0])]
        start = whole | {"text": ""}
    ending = {"stop_reason": _STOP_REASONS[answer.finish_reason], "stop_sequence": None}
    return [
        {"type": "message_start", "message": _message(response_id) | {"content": [], "usage": _usage(1)}},
        {"type": "content_block_start", "index": 0, "content_block": start},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ending, "usage": _usage(COMPLETION_TOKENS)},
        {"type": "message_stop"},
    ]


def _message(response_id: str) -> JSON:
    return {
        "id": response_id,
        "type": "message",
        "role": "assistant",
        "model": RESPONSE_MODEL,
        "stop_reason": None,
        "stop_sequence": None,
    }


def _block(answer: Answer) -> JSON:
    if answer.tool_call:
        return {
            "type": "tool_use",
            "id": TOOL_CALL_ID,
            "name": TOOL_NAME,
            "input": json.loads(TOOL_ARGUMENTS),
        }
    return {"type": "text", "text": answer.texts[0]}


def _usage(output: int) -> JSON:
    # What was read from the cache is no part of Anthropic's input tokens.
    return {
        "input_tokens": PROMPT_TOKENS - CACHED_TOKENS,
        "cache_read_input_tokens": CACHED_TOKENS,
        "cache_creation_input_tokens": 0,
        "output_tokens": output,
        "output_tokens_details": {"thinking_tokens": REASONING_TOKENS},
    }
