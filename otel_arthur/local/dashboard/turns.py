"""A conversation's text as turns. Pure: a text in, turns out."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson

from otel_arthur.genai.attributes import as_map
from otel_arthur.genai.messages.indexed import items

_ROLES: Final = {"Human": "user", "AI": "assistant", "System": "system", "Tool": "tool"}
_BEGINNING: Final = re.compile(r"^(Human|AI|System|Tool): ", re.MULTILINE)
"""The role before each message of a transcript."""
_TOOL_CALLS: Final = re.compile(r"\[\{'name': ")
"""LangChain writes the tool calls of an answer behind its words, as a Python list."""
_LONGEST_PARSED: Final = 200_000
_EXCERPT: Final = 2_000


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model asked for."""

    name: str
    arguments: str
    """Readable JSON, or the text as it is."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message."""

    role: str
    text: str
    tools: Sequence[ToolCall] = ()


def turns_of(text: str) -> list[Turn]:
    """The turns of an ``input_text``: a transcript, messages as JSON, or one message of the user."""
    if text.startswith("[{") and (messages := _json(text)) is not None:
        turns = [_of_message(as_map(message)) for message in messages]
        if all(turn is not None for turn in turns):
            return [turn for turn in turns if turn is not None]
    pieces = _BEGINNING.split(text)
    if len(pieces) == 1 or pieces[0]:
        return [Turn("user", text)] if text else []
    return [
        _spoken(_ROLES[name], words.removesuffix("\n"))
        for name, words in zip(pieces[1::2], pieces[2::2], strict=True)
    ]


def turns_of_span(attributes: Mapping[str, Any]) -> tuple[list[Turn], Turn]:
    """The turns and the answer of a span in OpenInference's words."""
    asked = _messages(attributes, "input") or turns_of(str(attributes.get("input.value", "")))
    answered = _messages(attributes, "output")
    return asked, answered[0] if answered else Turn("assistant", str(attributes.get("output.value", "")))


def turns_around(attributes: Mapping[str, Any]) -> list[Turn]:
    """The words of a span that is no call: its messages, or else its input and output."""
    messages = _messages(attributes, "input") + _messages(attributes, "output")
    texts = {name: attributes.get(f"{name}.value") for name in ("input", "output")}
    return messages or [Turn(name, str(text)) for name, text in texts.items() if text]


def last_words(text: str) -> str:
    """What the user said last, or the end of the text."""
    pieces = _BEGINNING.split(text[-_EXCERPT:])
    spoken = [words for name, words in zip(pieces[1::2], pieces[2::2], strict=True) if name == "Human"]
    return (spoken[-1] if spoken else pieces[-1]).strip()


def answer_of(text: str, tool_calls: Any) -> Turn:
    """The model's answer, with the field ``tool_calls`` where the model has one."""
    calls = _json(tool_calls) if isinstance(tool_calls, str) else tool_calls
    return Turn("assistant", text, _tools(calls))


def readable(value: Any) -> str:
    """A readable value: JSON is indented, any other text is unchanged."""
    found = _json(value) if isinstance(value, str) else value
    if found is None or isinstance(found, str | int | float):
        return "" if value is None else str(value)
    try:
        return orjson.dumps(found, option=orjson.OPT_INDENT_2, default=str).decode()
    except TypeError:
        return str(value)


def _spoken(role: str, text: str) -> Turn:
    if role == "tool":
        return Turn(role, readable(text))
    found = list(_TOOL_CALLS.finditer(text)) if role == "assistant" else []
    if found and len(text) < _LONGEST_PARSED:
        start = found[0].start()
        try:
            calls = ast.literal_eval(text[start:])
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return Turn(role, text)
        return Turn(role, text[:start], _tools(calls))
    return Turn(role, text)


def _of_message(message: Any) -> Turn | None:
    role, content = message.get("role"), message.get("content")
    if not isinstance(role, str):
        return None
    text = content if isinstance(content, str) else readable(content)
    return Turn(role, readable(text) if role == "tool" else text, _tools(message.get("tool_calls")))


def _messages(attributes: Mapping[str, Any], side: str) -> list[Turn]:
    return [_of_openinference(item) for item in items(attributes, f"llm.{side}_messages.")]


def _of_openinference(item: Any) -> Turn:
    message = as_map(as_map(item).get("message"))
    functions = [
        as_map(as_map(call).get("tool_call")).get("function") for call in message.get("tool_calls") or ()
    ]
    role, text = str(message.get("role", "?")), str(message.get("content", ""))
    return Turn(role, readable(text) if role == "tool" else text, _tools(functions))


def _tools(calls: Any) -> list[ToolCall]:
    if not isinstance(calls, list):
        return []
    found = [as_map(call) for call in cast("list[Any]", calls)]
    return [
        ToolCall(str(call.get("name", "?")), readable(call.get("arguments", call.get("args"))))
        for call in found
    ]


def _json(text: str) -> Any:
    """The JSON of a text; None where the text is no JSON."""
    if len(text) > _LONGEST_PARSED or text[:1] not in ("{", "["):
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
