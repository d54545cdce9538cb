"""A call as the test server of OpenAI's API saw it, and the endpoints that answer calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.servers.providers.anthropic_wire import messages_asked, messages_body, messages_events
from tests.support.servers.providers.gemini_wire import GEMINI, gemini_body, gemini_events
from tests.support.servers.providers.openai_answers import Answer, ToolCall
from tests.support.servers.providers.openai_wire import (
    chat_body,
    chat_events,
    completion_body,
    completion_events,
    responses_body,
    responses_events,
)

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request as the server saw it. ``response_id`` is empty when it was refused."""

    path: str
    request: JSON
    status: int
    response_id: str = ""
    texts: tuple[str, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: str = ""
    cache_written: int = 0
    finish_reason: str = ""
    streamed: bool = False
    complete: bool = True

    @property
    def answered(self) -> bool:
        return self.status == 200


@dataclass(frozen=True, slots=True)
class Endpoint:
    id_prefix: str
    body: Callable[[JSON, Answer, str], JSON]
    events: Callable[[JSON, Answer, str], list[JSON]]
    messages: Callable[[JSON], list[JSON]]


def _user_messages(value: Any) -> list[JSON]:
    """``prompt`` and ``input`` may be one string, a list of strings or a list of messages."""
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    return [one if isinstance(one, dict) else {"role": "user", "content": str(one)} for one in value or ()]


ENDPOINTS = {
    "/v1/chat/completions": Endpoint(
        "chatcmpl-", chat_body, chat_events, lambda request: request.get("messages") or []
    ),
    "/v1/completions": Endpoint(
        "cmpl-", completion_body, completion_events, lambda request: _user_messages(request.get("prompt"))
    ),
    "/v1/responses": Endpoint(
        "resp_", responses_body, responses_events, lambda request: _user_messages(request.get("input"))
    ),
    "/v1/messages": Endpoint("msg_", messages_body, messages_events, messages_asked),
    GEMINI: Endpoint("gemini-", gemini_body, gemini_events, lambda request: request["messages"]),
}
