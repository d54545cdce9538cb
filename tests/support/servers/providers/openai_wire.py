"""The test server's endpoints: (request, answer, response id) to a body or a list of stream events."""

from __future__ import annotations

import struct
import time
from base64 import b64encode
from typing import Any

from tests.support.servers.providers.openai_answers import (
    RESPONSE_MODEL,
    SEARCH_QUERY,
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
        if answer.tool_calls:
            message |= {"content": text or None, "tool_calls": list(map(tool_call_part, answer.tool_calls))}
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
        logprobs = chat_logprobs(text, int(request.get("top_logprobs") or 0))["content"]
        for position, token in enumerate(tokens_of(text)):
            more: JSON = {"logprobs": {"content": [logprobs[position]]}} if request.get("logprobs") else {}
            events.append(chunk(index, {"content": token}, **more))
        for number, call in enumerate(answer.tool_calls):
            first = tool_call_part(call) | {
                "index": number,
                "function": {"name": call.name, "arguments": ""},
            }
            rest = {"index": number, "function": {"arguments": call.arguments}}
            events += [chunk(index, {"tool_calls": [part]}) for part in (first, rest)]
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
    cut = answer.finish_reason in _INCOMPLETE
    return {
        "id": response_id,
        "object": "response",
        "created_at": int(time.time()),
        "status": "incomplete" if cut else "completed",
        "error": None,
        "incomplete_details": {"reason": _INCOMPLETE[answer.finish_reason]} if cut else None,
        "instructions": request.get("instructions"),
        "metadata": {},
        "model": RESPONSE_MODEL,
        "output": _output_items(answer, response_id),
        "parallel_tool_calls": True,
        "temperature": request.get("temperature", 1.0),
        "tool_choice": "auto",
        "tools": request.get("tools") or [],
        "top_p": 1.0,
        "usage": usage(responses_api=True),
    }


_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


def _output_items(answer: Answer, response_id: str) -> list[JSON]:
    number = response_id.removeprefix("resp_")
    items: list[JSON] = []
    if answer.reasoning:
        items.append(
            {
                "type": "reasoning",
                "id": f"rs_{number}",
                "summary": [{"type": "summary_text", "text": answer.reasoning}],
            }
        )
    if answer.search:
        items.append(
            {
                "type": "web_search_call",
                "id": f"ws_{number}",
                "status": "completed",
                "action": {"type": "search", "query": SEARCH_QUERY},
            }
        )
    if answer.texts[0] or not answer.tool_calls:
        items.append(
            {
                "type": "message",
                "id": f"msg_{number}",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": answer.texts[0], "annotations": []}],
            }
        )
    items += [
        {
            "type": "function_call",
            "id": f"fc_{index}_{number}",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
            "status": "completed",
        }
        for index, call in enumerate(answer.tool_calls)
    ]
    return items


def responses_events(request: JSON, answer: Answer, response_id: str) -> list[JSON]:
    done = responses_body(request, answer, response_id)
    begun = done | {"status": "in_progress", "output": [], "usage": None}
    events: list[JSON] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    for index, item in enumerate(done["output"]):
        empty, pieces = _in_pieces(item)
        place = {"item_id": item["id"], "output_index": index}
        events += [
            {"type": "response.output_item.added", "output_index": index, "item": item | empty},
            *(piece | place for piece in pieces),
            {"type": "response.output_item.done", "output_index": index, "item": item},
        ]
    events.append({"type": f"response.{done['status']}", "response": done})
    return [event | {"sequence_number": number} for number, event in enumerate(events)]


def _in_pieces(item: JSON) -> tuple[JSON, list[JSON]]:
    """What an item lacks when it begins in a stream, and the events that complete it."""
    if item["type"] == "function_call":
        arguments = item["arguments"]
        return {"arguments": "", "status": "in_progress"}, [
            {"type": "response.function_call_arguments.delta", "delta": arguments},
            {
                "type": "response.function_call_arguments.done",
                "arguments": arguments,
                "name": item["name"],
            },
        ]
    if item["type"] == "reasoning":
        [part] = item["summary"]
        pieces: list[JSON] = [
            {"type": "response.reasoning_summary_part.added", "part": part | {"text": ""}},
            {"type": "response.reasoning_summary_text.delta", "delta": part["text"]},
            {"type": "response.reasoning_summary_text.done", "text": part["text"]},
            {"type": "response.reasoning_summary_part.done", "part": part},
        ]
        return {"summary": []}, [piece | {"summary_index": 0} for piece in pieces]
    if item["type"] == "message":
        [part] = item["content"]
        text = part["text"]
        pieces = [
            {"type": "response.content_part.added", "part": part | {"text": ""}},
            *(
                {"type": "response.output_text.delta", "delta": token, "logprobs": []}
                for token in tokens_of(text)
            ),
            {"type": "response.output_text.done", "text": text, "logprobs": []},
            {"type": "response.content_part.done", "part": part},
        ]
        return {"content": [], "status": "in_progress"}, [piece | {"content_index": 0} for piece in pieces]
    return {"status": "in_progress"}, []


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
