"""The test server's Anthropic endpoint: (request, answer, response id) to a body or a list of events."""

from __future__ import annotations

import json
from typing import Any

from tests.support.servers.providers.openai_answers import (
    CACHED_TOKENS,
    COMPLETION_TOKENS,
    PROMPT_TOKENS,
    REASONING_TOKENS,
    RESPONSE_MODEL,
    SEARCH_QUERY,
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
        "content": _blocks(answer),
        "stop_reason": _STOP_REASONS[answer.finish_reason],
        "usage": _usage(COMPLETION_TOKENS, answer.cache_written),
    }


def messages_events(_request: JSON, answer: Answer, response_id: str) -> list[JSON]:
    begun = _message(response_id) | {"content": [], "usage": _usage(1, answer.cache_written)}
    events: list[JSON] = [{"type": "message_start", "message": begun}]
    for index, block in enumerate(_blocks(answer)):
        empty, deltas = _in_pieces(block)
        events += [
            {"type": "content_block_start", "index": index, "content_block": empty},
            *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
            {"type": "content_block_stop", "index": index},
        ]
    ending = {"stop_reason": _STOP_REASONS[answer.finish_reason], "stop_sequence": None}
    return [
        *events,
        {
            "type": "message_delta",
            "delta": ending,
            "usage": _usage(COMPLETION_TOKENS, answer.cache_written),
        },
        {"type": "message_stop"},
    ]


def _in_pieces(block: JSON) -> tuple[JSON, list[JSON]]:
    """A block as it begins in a stream, and what is added to it."""
    if block["type"] in ("tool_use", "server_tool_use"):
        return block | {"input": {}}, [
            {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        ]
    if block["type"] == "thinking":
        return block | {"thinking": "", "signature": ""}, [
            {"type": "thinking_delta", "thinking": block["thinking"]},
            {"type": "signature_delta", "signature": block["signature"]},
        ]
    if block["type"] == "text":
        return block | {"text": ""}, [
            {"type": "text_delta", "text": token} for token in tokens_of(block["text"])
        ]
    return block, []


def _message(response_id: str) -> JSON:
    return {
        "id": response_id,
        "type": "message",
        "role": "assistant",
        "model": RESPONSE_MODEL,
        "stop_reason": None,
        "stop_sequence": None,
    }


def _blocks(answer: Answer) -> list[JSON]:
    blocks: list[JSON] = []
    if answer.reasoning:
        blocks.append({"type": "thinking", "thinking": answer.reasoning, "signature": "c2lnbmF0dXJl"})
    if answer.search:
        blocks += [
            {
                "type": "server_tool_use",
                "id": "srvtoolu_1",
                "name": "web_search",
                "input": {"query": SEARCH_QUERY},
            },
            {
                "type": "web_search_tool_result",
                "tool_use_id": "srvtoolu_1",
                "content": [
                    {
                        "type": "web_search_result",
                        "url": "http://example.org/",
                        "title": "What the web says",
                        "encrypted_content": "ZW5jcnlwdGVk",
                        "page_age": None,
                    }
                ],
            },
        ]
    if answer.texts[0] or not answer.tool_calls:
        blocks.append({"type": "text", "text": answer.texts[0]})
    blocks += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": json.loads(call.arguments)}
        for call in answer.tool_calls
    ]
    return blocks


def _usage(output: int, cache_written: int) -> JSON:
    # What was read from the cache, or put into it, is no part of Anthropic's input tokens.
    return {
        "input_tokens": PROMPT_TOKENS - CACHED_TOKENS - cache_written,
        "cache_read_input_tokens": CACHED_TOKENS,
        "cache_creation_input_tokens": cache_written,
        "output_tokens": output,
        "output_tokens_details": {"thinking_tokens": REASONING_TOKENS},
    }
