"""What a model server answered, read off its own responses.

The demo believes the server's count and no other: this file therefore shares nothing with the
exporter, and reads OpenAI's wire format on its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, cast

import orjson

JSON = dict[str, Any]

GENERATING_PATHS = ("chat/completions", "completions", "responses")
"""Paths below the base URL that are calls to a language model; embeddings and the like are not."""


@dataclass(frozen=True, slots=True)
class ServedCall:
    """One request as the server saw it.

    ``texts`` has one entry per choice, empty for a tool call. ``complete`` is false when the answer
    was cut before its end: such a call is neither an answer nor a refusal.
    """

    path: str
    model: str
    status: int
    streamed: bool
    response_id: str = ""
    texts: tuple[str, ...] = ()
    finish_reason: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    complete: bool = True

    @property
    def answered(self) -> bool:
        return self.status == 200 and self.complete

    def to_json(self) -> JSON:
        return asdict(self)

    @classmethod
    def from_json(cls, record: JSON) -> ServedCall:
        fields: JSON = {**record, "texts": tuple(record["texts"])}
        return cls(**fields)


def from_body(path: str, request: JSON, status: int, body: bytes) -> ServedCall:
    """The record of an answer that came in one piece."""
    model = str(request.get("model", ""))
    answer = _object(body)
    if status != 200 or answer is None:
        return ServedCall(path, model, status, streamed=False, complete=answer is not None)
    if path == "responses":
        return _from_response(path, model, answer, streamed=False)
    choices: list[JSON] = answer.get("choices") or []
    return ServedCall(
        path,
        model,
        status,
        streamed=False,
        response_id=str(answer.get("id", "")),
        texts=tuple(_choice_text(choice) for choice in choices),
        finish_reason=_finish_reason(choices),
        **_usage(answer),
    )


def from_events(path: str, request: JSON, events: Iterable[bytes], *, complete: bool) -> ServedCall:
    """The record of a streamed answer; ``events`` are the ``data:`` payloads in order."""
    model = str(request.get("model", ""))
    texts: dict[int, str] = {}
    response_id, finish_reason = "", ""
    usage: JSON = {}
    for payload in events:
        event = _object(payload)
        if event is None:
            continue
        if event.get("type") == "response.completed":
            return _from_response(path, model, event["response"], streamed=True)
        if "error" in event:
            complete = False
        response_id = str(event.get("id") or response_id)
        choices: list[JSON] = event.get("choices") or []
        finish_reason = _finish_reason(choices) or finish_reason
        for choice in choices:
            index = int(choice.get("index") or 0)
            texts[index] = texts.get(index, "") + _choice_text(choice)
        if event.get("usage"):
            usage = _usage(event)
    return ServedCall(
        path,
        model,
        200,
        streamed=True,
        response_id=response_id,
        texts=tuple(text for _, text in sorted(texts.items())),
        finish_reason=finish_reason,
        complete=complete,
        **usage,
    )


def _from_response(path: str, model: str, answer: JSON, *, streamed: bool) -> ServedCall:
    """The Responses API: output items instead of choices, other names for usage."""
    usage: JSON = answer.get("usage") or {}
    items: list[JSON] = answer.get("output") or []
    contents: list[list[JSON]] = [item.get("content") or [] for item in items]
    return ServedCall(
        path,
        model,
        200,
        streamed=streamed,
        response_id=str(answer.get("id", "")),
        texts=("".join(str(part.get("text", "")) for parts in contents for part in parts),),
        prompt_tokens=usage.get("input_tokens"),
        completion_tokens=usage.get("output_tokens"),
    )


def _choice_text(choice: JSON) -> str:
    """Text of a chat choice, a chat delta or a legacy completion."""
    message: JSON = choice.get("message") or choice.get("delta") or {}
    return str(message.get("content") or choice.get("text") or "")


def _finish_reason(choices: list[JSON]) -> str:
    return next((str(choice["finish_reason"]) for choice in choices if choice.get("finish_reason")), "")


def _usage(answer: JSON) -> JSON:
    usage: JSON = answer.get("usage") or {}
    return {name: usage.get(name) for name in ("prompt_tokens", "completion_tokens")}


def _object(data: bytes) -> JSON | None:
    try:
        value: Any = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return cast("JSON", value) if isinstance(value, dict) else None
