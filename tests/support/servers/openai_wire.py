"""The test server's endpoints: (request, answer, response id) to a body or a list of stream events."""

from __future__ import annotations

import struct
import time
from base64 import b64encode
from typing import Any

from tests.support.servers.openai_answers import (
    RESPONSE_MODEL,
    TOOL_ARGUMENTS,
    TOOL_CALL_ID,
    TOOL_NAME,
    Answer,
    chat_logprobs,
    completion_logprobs,
    embedding_of,
    tokens_of,
    tool_call_part,
    usage,
)

JSON = dict[str, Any]


def _head(kind: str, response_id: str) -> JSON:
    return {
        "id": response_id,
        "object": kind,
        "created": int(time.time()),
        "model": RESPONSE_MODEL,
        "system_fingerprint": "fp_test",
    }


def chat_body(request: JSON, answer: Answer, response_id: str) -> JSON:
    choices: list[JSON] = []
    for index, text in enumerate(answer.texts):
        message: JSON = {"role": "assistant", "content": text, "refusal": None}
        if answer.tool_call:
            message |= {"content": None, "tool_calls": [tool_call_part()]}
        choice: JSON = {"index": index, "message": message, "finish_reason": answer.finish_reason}
        if request.get("logprobs"):
            choice["logprobs"] = chat_logprobs(text, int(request.get("top_logprobs") or 0))
        choices.append(choice)
    return _head("chat.completion", response_id) | {"choices": choices, "usage": usage()}


def chat_events(request: JSON, answer: Answer, response_id: str) -> list[JSON]:
    head = _head("chat.completion.chunk", response_id)

    def chunk(index: int, delta: JSON, finish_reason: str | None = None, **more: Any) -> JSON:
        return head | {"choices": [{"index": index, "delta": delta, "finish_reason": finish_reason} | more]}

    events: list[JSON] = []
    for index, text in enumerate(answer.texts):
        events.append(chunk(index, {"role": "assistant", "content": "" if text else None}))
        if answer.tool_call:
            first = tool_call_part() | {"index": 0, "function": {"name": TOOL_NAME, "arguments": ""}}
            rest = {"index": 0, "function": {"arguments": TOOL_ARGUMENTS}}
            events += [chunk(index, {"tool_calls": [part]}) for part in (first, rest)]
        logprobs = chat_logprobs(text, int(request.get("top_logprobs") or 0))["content"]
        for position, token in enumerate(tokens_of(text)):
            more: JSON = {"logprobs": {"content": [logprobs[position]]}} if request.get("logprobs") else {}
            events.append(chunk(index, {"content": token}, **more))
    events += [chunk(index, {}, answer.finish_reason) for index in range(len(answer.texts))]
    if (request.get("stream_options") or {}).get("include_usage"):
        events.append(head | {"choices": [], "usage": usage()})
    return events


def completion_body(request: JSON, answer: Answer, response_id: str) -> JSON:
    top = request.get("logprobs")
    choices = [
        {
            "index": index,
            "text": text,
            "finish_reason": answer.finish_reason,
            "logprobs": None if top is None else completion_logprobs(text, int(top)),
        }
        for index, text in enumerate(answer.texts)
    ]
    return _head("text_completion", response_id) | {"choices": choices, "usage": usage()}


def completion_events(request: JSON, answer: Answer, response_id: str) -> list[JSON]:
    head = _head("text_completion", response_id)
    top = request.get("logprobs")
    events: list[JSON] = []
    for index, text in enumerate(answer.texts):
        for token in tokens_of(text):
            logprobs = None if top is None else completion_logprobs(token, int(top))
            choice = {"index": index, "text": token, "finish_reason": None, "logprobs": logprobs}
            events.append(head | {"choices": [choice]})
        last = {"index": index, "text": "", "finish_reason": answer.finish_reason, "logprobs": None}
        events.append(head | {"choices": [last]})
    if (request.get("stream_options") or {}).get("include_usage"):
        events.append(head | {"choices": [], "usage": usage()})
    return events


def responses_body(request: JSON, answer: Answer, response_id: str) -> JSON:
    return {
        "id": response_id,
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": request.get("instructions"),
        "metadata": {},
        "model": RESPONSE_MODEL,
        "output": [_output_item(answer, response_id)],
        "parallel_tool_calls": True,
        "temperature": request.get("temperature", 1.0),
        "tool_choice": "auto",
        "tools": request.get("tools") or [],
        "top_p": 1.0,
        "usage": usage(responses_api=True),
    }


def _output_item(answer: Answer, response_id: str) -> JSON:
    if answer.tool_call:
        return {
            "type": "function_call",
            "id": response_id.replace("resp_", "fc_"),
            "call_id": TOOL_CALL_ID,
            "name": TOOL_NAME,
            "arguments": TOOL_ARGUMENTS,
            "status": "completed",
        }
    return {
        "type": "message",
        "id": response_id.replace("resp_", "msg_"),
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": answer.texts[0], "annotations": []}],
    }


def responses_events(request: JSON, answer: Answer, response_id: str) -> list[JSON]:
    done = responses_body(request, answer, response_id)
    begun = done | {"status": "in_progress", "output": [], "usage": None}
    item = done["output"][0]
    place = {"item_id": item["id"], "output_index": 0}
    events: list[JSON] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    if answer.tool_call:
        events += [
            {
                "type": "response.output_item.added",
                "output_index": 0,
                "item": item | {"arguments": "", "status": "in_progress"},
            },
            {"type": "response.function_call_arguments.delta", "delta": TOOL_ARGUMENTS} | place,
            {
                "type": "response.function_call_arguments.done",
                "arguments": TOOL_ARGUMENTS,
                "name": TOOL_NAME,
            }
            | place,
        ]
    else:
        place |= {"content_index": 0}
        part = item["content"][0]
        events += [
            {
                "type": "response.output_item.added",
                "output_index": 0,
                "item": item | {"content": [], "status": "in_progress"},
            },
            {"type": "response.content_part.added", "part": part | {"text": ""}} | place,
            *(
                {"type": "response.output_text.delta", "delta": token, "logprobs": []} | place
                for token in tokens_of(answer.texts[0])
            ),
            {"type": "response.output_text.done", "text": answer.texts[0], "logprobs": []} | place,
            {"type": "response.content_part.done", "part": part} | place,
        ]
    events += [
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": done},
    ]
    return [event | {"sequence_number": number} for number, event in enumerate(events)]


def _encoded(vector: list[float], base64: bool) -> list[float] | str:
    """OpenAI's client asks for little-endian float32 in base64 unless told otherwise."""
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode() if base64 else vector


def embeddings_body(request: JSON) -> JSON:
    inputs = request.get("input") or []
    texts = [inputs] if isinstance(inputs, str) else inputs
    base64 = request.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(embedding_of(str(text)), base64)}
        for index, text in enumerate(texts)
    ]
    return {
        "object": "list",
        "data": data,
        "model": "text-embedding-3-small",
        "usage": {"prompt_tokens": 5, "total_tokens": 5},
    }
