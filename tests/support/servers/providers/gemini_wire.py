"""The test server's Gemini endpoint: (request, answer, response id) to a body or a list of events."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.support.servers.providers.openai_answers import (
    CACHED_TOKENS,
    COMPLETION_TOKENS,
    PROMPT_TOKENS,
    REASONING_TOKENS,
    RESPONSE_MODEL,
    Answer,
    tokens_of,
)

JSON = dict[str, Any]

GEMINI = "/v1beta/models"
_PATH = re.compile(r"/v1(?:beta)?/models/([^:]+):(generateContent|streamGenerateContent)")
_FINISH_REASONS = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY"}


def asked_of_gemini(path: str, request: JSON) -> JSON | None:
    """A request as OpenAI's API has it (model, stream, messages, names of tools), if the path is Gemini's."""
    found = _PATH.match(path)
    if found is None:
        return None
    config: JSON = request.get("generationConfig") or {}
    declared = [one for tool in request.get("tools") or [] for one in tool.get("functionDeclarations") or []]
    return {
        "model": found[1],
        "stream": found[2] == "streamGenerateContent",
        "messages": [_message(content) for content in request.get("contents") or []],
        "tools": [{"name": tool["name"]} for tool in declared],
        "max_tokens": config.get("maxOutputTokens"),
    }


def _message(content: JSON) -> JSON:
    parts = content.get("parts") or []
    is_result = any("functionResponse" in part for part in parts)
    return {"role": "tool" if is_result else content.get("role", "user"), "content": parts}


def gemini_body(_request: JSON, answer: Answer, response_id: str) -> JSON:
    parts: list[JSON] = [{"text": text} for text in answer.texts[:1] if text]
    return _chunk(response_id, [*parts, *_calls(answer)], answer.finish_reason)


def gemini_events(_request: JSON, answer: Answer, response_id: str) -> list[JSON]:
    pieces = [_chunk(response_id, [{"text": token}]) for token in tokens_of(answer.texts[0])]
    if answer.tool_calls:
        return [*pieces, _chunk(response_id, _calls(answer), answer.finish_reason)]
    return [
        *pieces[:-1],
        pieces[-1] | _chunk(response_id, [{"text": tokens_of(answer.texts[0])[-1]}], "stop"),
    ]


def gemini_error(status: int, message: str) -> JSON:
    names = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
    return {"error": {"code": status, "message": message, "status": names.get(status, "UNAVAILABLE")}}


def _calls(answer: Answer) -> list[JSON]:
    return [
        {"functionCall": {"id": call.id, "name": call.name, "args": json.loads(call.arguments)}}
        for call in answer.tool_calls
    ]


def _chunk(response_id: str, parts: list[JSON], finish_reason: str = "") -> JSON:
    candidate: JSON = {"content": {"role": "model", "parts": parts}, "index": 0}
    chunk: JSON = {"candidates": [candidate], "modelVersion": RESPONSE_MODEL, "responseId": response_id}
    if not finish_reason:
        return chunk
    candidate["finishReason"] = _FINISH_REASONS[finish_reason]
    # Thoughts are no part of the candidates' tokens; what came from the cache is one of the prompt's.
    return chunk | {
        "usageMetadata": {
            "promptTokenCount": PROMPT_TOKENS,
            "candidatesTokenCount": COMPLETION_TOKENS - REASONING_TOKENS,
            "totalTokenCount": PROMPT_TOKENS + COMPLETION_TOKENS,
            "cachedContentTokenCount": CACHED_TOKENS,
            "thoughtsTokenCount": REASONING_TOKENS,
        }
    }
