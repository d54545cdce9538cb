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
    answer = object_of(body)
    if status != 200 or answer is None:
        return ServedCall(path, model, status, streamed=False, complete=answer is not None)
    if path == "responses":
        return _from_response(path, model, answer, streamed=False)
    return _from_choices(path, model, [answer], streamed=False)


def from_events(path: str, request: JSON, events: Iterable[bytes], *, complete: bool) -> ServedCall:
    """The record of a streamed answer; ``events`` are the ``data:`` payloads in order."""
    model = str(request.get("model", ""))
    answers = [answer for payload in events if (answer := object_of(payload)) is not None]
    for answer in answers:
        if answer.get("type") == "response.completed":
            return _from_response(path, model, answer["response"], streamed=True)
    is_whole = complete and not any("error" in answer for answer in answers)
    return _from_choices(path, model, answers, streamed=True, complete=is_whole)


def _from_choices(
    path: str, model: str, answers: Iterable[JSON], *, streamed: bool, complete: bool = True
) -> ServedCall:
    """Chat and legacy completions: the answer, or its pieces in order."""
    texts: dict[int, str] = {}
    response_id = ""
    for answer in answers:
        response_id = str(answer.get("id") or response_id)
        choices: list[JSON] = answer.get("choices") or []
        for position, choice in enumerate(choices):
            index = int(choice.get("index", position))
            texts[index] = texts.get(index, "") + _choice_text(choice)
    said = tuple(text for _, text in sorted(texts.items()))
    return ServedCall(path, model, 200, streamed, response_id, said, complete)


def _from_response(path: str, model: str, answer: JSON, *, streamed: bool) -> ServedCall:
    """The Responses API: output items instead of choices."""
    items: list[JSON] = answer.get("output") or []
    contents: list[list[JSON]] = [item.get("content") or [] for item in items]
    text = "".join(str(part.get("text", "")) for parts in contents for part in parts)
    return ServedCall(path, model, 200, streamed, str(answer.get("id", "")), (text,))


def _choice_text(choice: JSON) -> str:
    """Text of a chat choice, a chat delta or a legacy completion."""
    message: JSON = choice.get("message") or choice.get("delta") or {}
    return str(message.get("content") or choice.get("text") or "")


def object_of(data: bytes) -> JSON | None:
    """A JSON object; None for any other content."""
    try:
        value: Any = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return cast("JSON", value) if isinstance(value, dict) else None
