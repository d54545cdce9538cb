"""The log records of AWS's distro on Bedrock AgentCore: all words of a span in one record's body.

Source: aws-observability/aws-otel-python-instrumentation, ``llo_handler``. The record has the scope's name;
its body is ``{"input": {"messages": […]}, "output": {"messages": […]}}``. Former answers stand in the output
too, under ``content``; the answer is what stands under ``message``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from otel_arthur.genai.attributes import as_map
from otel_arthur.genai.messages.forms import parts_in

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue

_Map: TypeAlias = Mapping[str, Any]
SIDES = frozenset({"input", "output"})
"""The keys of such a body; it has no others."""
MESSAGES = "messages"
"""The key under each of them."""


def may_be_conversation(body: AnyValue) -> bool:
    """Whether a body that is still protobuf has this form."""
    pairs = body.kvlist_value.values if body.HasField("kvlist_value") else ()
    return bool(pairs) and all(pair.key in SIDES for pair in pairs)


def conversation_in(body: Any) -> dict[str, Any]:
    """The conventions' two attributes for what a body says, or nothing."""
    if not isinstance(body, Mapping) or not body or not SIDES.issuperset(cast("_Map", body)):
        return {}
    former = list(_messages(cast("_Map", body), "output", "content"))
    asked: list[_Map] = []
    for message in _messages(cast("_Map", body), "input", "content"):
        asked.append(message)
        if former and message["role"] != "system":
            # Each former answer follows what it answered.
            asked.append(former.pop(0))
    answers = list(_messages(cast("_Map", body), "output", "message"))
    found = {"gen_ai.input.messages": [*asked, *former], "gen_ai.output.messages": answers}
    return {key: messages for key, messages in found.items() if messages}


def _messages(body: _Map, side: str, key: str) -> Iterator[_Map]:
    holder = body.get(side)
    listed = cast("_Map", holder).get(MESSAGES) if isinstance(holder, Mapping) else None
    for item in cast("Sequence[Any]", listed) if isinstance(listed, list | tuple) else ():
        message = as_map(item)
        content: Any = message.get("content")
        if isinstance(content, str):
            content = {"content" if side == "input" else "message": content}
        words = as_map(content)
        if key in words:
            told = {"role": str(message.get("role", "user")), "content": parts_in(words[key])}
            yield told if key == "content" else {**told, "finish_reason": words.get("finish_reason")}
