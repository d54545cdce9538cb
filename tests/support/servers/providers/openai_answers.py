"""What the test server answers: a pure function of the request, in OpenAI's wire shapes.

The last user message is the script. Words in it choose the answer:

=================  ==========================================================================
``TOOLS``          with tools given: calls get_weather(city="Paris"), then reads its result
``PARALLEL``       beside ``TOOLS``: calls it for Rome too
``TALK``           beside ``TOOLS``: says a word before it calls
``JSON``           an object as JSON; where there is a tool but get_weather, that tool's arguments
``REASON``         thinks before it answers (Responses API and Anthropic, where thoughts are told)
``SEARCH``         searches the web by a tool of its own before it answers (likewise)
``CACHE``          puts 3 of its input tokens into the cache (Anthropic)
``EMOJI``          text with CJK, an emoji, quotes and a line break
``ECHO xyz``       ``xyz`` (the next word): tells concurrent calls apart
``LONG 500``       500 words
``FILTER``         finish reason ``content_filter``
``ERR429``         that HTTP status, any of 400..599
``FLAKY 2 key``    503 for the first two calls with the same text, then the answer
``SLEEP 0.5``      the answer begins after so many seconds
``DISCONNECT``     the connection is cut in the middle of the answer
``STREAMERR``      an error event in the middle of the stream
=================  ==========================================================================

Markers combine (``SLEEP 0.2 ECHO a7``). Each answer reports 21 prompt and 7 completion tokens, of
which 4 were cached and 2 reasoning; a ``max_tokens`` shorter than the text cuts it (``length``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

JSON = dict[str, Any]

RESPONSE_MODEL = "gpt-4o-mini-2026-01-01"
DEFAULT_TEXT = "Hello from the fake model."
WEATHER_TEXT = "The weather in Paris is sunny, 21C."
EMOJI_TEXT = '你好，世界 🌍 — "naïve" café\nline2'
TALK_TEXT = "Let me look."
JSON_TEXT = '{"berries": 12}'
REASONING_TEXT = "They greet, so I greet."
SEARCH_QUERY = "what the server looked for"
TOOL_NAME = "get_weather"
PROMPT_TOKENS, COMPLETION_TOKENS, CACHED_TOKENS, REASONING_TOKENS = 21, 7, 4, 2
CACHE_WRITTEN_TOKENS = 3


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of one of the application's tools; ``arguments`` are JSON."""

    id: str
    name: str
    arguments: str


PARIS = ToolCall("call_abc123", TOOL_NAME, '{"city": "Paris"}')
ROME = ToolCall("call_def456", TOOL_NAME, '{"city": "Rome"}')


@dataclass(frozen=True, slots=True)
class Answer:
    """One scripted answer: ``texts`` has one entry per choice, empty where only tools are called."""

    texts: tuple[str, ...] = ()
    finish_reason: str = "stop"
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: str = ""
    search: bool = False
    cache_written: int = 0
    status: int = 200
    delay: float = 0.0
    disconnect: bool = False
    stream_error: bool = False
    flaky: int = 0


def tokens_of(text: str) -> list[str]:
    """Words with the white space before them; their concatenation is the text."""
    return re.findall(r"\s*\S+|\s+$", text)


def answer_to(
    user_text: str, *, tools: Sequence[str], after_tool: bool, n: int, max_tokens: int | None
) -> Answer:
    """The answer to a user's text, where ``tools`` (names) may be called and ``after_tool`` one was."""

    def number(marker: str) -> float:
        found = re.search(rf"\b{marker} (\d+(?:\.\d+)?)", user_text)
        return float(found[1]) if found else 0.0

    if error := re.search(r"\bERR([45]\d\d)\b", user_text):
        return Answer(status=int(error[1]), delay=number("SLEEP"))
    text, finish_reason = DEFAULT_TEXT, "stop"
    calls = _calls(user_text, tools, after_tool=after_tool)
    if calls:
        text, finish_reason = TALK_TEXT if "TALK" in user_text else "", "tool_calls"
    elif "JSON" in user_text:
        text = JSON_TEXT
    elif after_tool:
        text = WEATHER_TEXT
    elif "EMOJI" in user_text:
        text = EMOJI_TEXT
    elif echo := re.search(r"\bECHO (\S+)", user_text):
        text = echo[1]
    elif words := int(number("LONG")):
        text = " ".join(f"word{i}" for i in range(words))
    if "FILTER" in user_text:
        finish_reason = "content_filter"
    tokens = tokens_of(text)
    if max_tokens is not None and len(tokens) > max_tokens:
        text, finish_reason = "".join(tokens[:max_tokens]), "length"
    return Answer(
        texts=tuple(f"{text} #{i}" for i in range(n)) if n > 1 else (text,),
        finish_reason=finish_reason,
        tool_calls=calls,
        reasoning=REASONING_TEXT if "REASON" in user_text else "",
        search="SEARCH" in user_text,
        cache_written=CACHE_WRITTEN_TOKENS if "CACHE" in user_text else 0,
        delay=number("SLEEP"),
        disconnect="DISCONNECT" in user_text,
        stream_error="STREAMERR" in user_text,
        flaky=int(number("FLAKY")),
    )


def _calls(user_text: str, tools: Sequence[str], *, after_tool: bool) -> tuple[ToolCall, ...]:
    if TOOL_NAME in tools and "TOOLS" in user_text and not after_tool:
        return (PARIS, ROME) if "PARALLEL" in user_text else (PARIS,)
    schema = next((name for name in tools if name not in (TOOL_NAME, "web_search")), None)
    return (ToolCall("call_json789", schema, JSON_TEXT),) if schema and "JSON" in user_text else ()


def text_of(content: Any) -> str:
    """Message content as plain text, whether a string or a list of parts (images have no text)."""
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content or () if isinstance(part.get("text"), str))


def user_text_and_tool(messages: list[JSON]) -> tuple[str, bool]:
    """The last user message, and whether a tool's result came after it."""
    text, after_tool = "", False
    for message in messages:
        if message.get("role") == "user":
            text, after_tool = text_of(message.get("content")), False
        elif message.get("role") == "tool" or message.get("type") == "function_call_output":
            after_tool = True
    return text, after_tool


def usage(*, responses_api: bool = False) -> JSON:
    total = PROMPT_TOKENS + COMPLETION_TOKENS
    if responses_api:
        return {
            "input_tokens": PROMPT_TOKENS,
            "input_tokens_details": {"cached_tokens": CACHED_TOKENS},
            "output_tokens": COMPLETION_TOKENS,
            "output_tokens_details": {"reasoning_tokens": REASONING_TOKENS},
            "total_tokens": total,
        }
    return {
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": COMPLETION_TOKENS,
        "total_tokens": total,
        "prompt_tokens_details": {"cached_tokens": CACHED_TOKENS},
        "completion_tokens_details": {"reasoning_tokens": REASONING_TOKENS},
    }


def alternatives(token: str, index: int, count: int) -> list[tuple[str, float]]:
    """The token and ``count - 1`` invented rivals, with log probabilities that fall."""
    own = [(token, -0.01 * (index + 1))]
    return own + [(f" alt{rank}", -2.0 - rank) for rank in range(1, count)]


def chat_logprobs(text: str, top: int) -> JSON:
    def entry(token: str, logprob: float) -> JSON:
        return {"token": token, "logprob": logprob, "bytes": list(token.encode())}

    content: list[JSON] = []
    for index, token in enumerate(tokens_of(text)):
        ranked = alternatives(token, index, max(top, 1))
        content.append(entry(*ranked[0]) | {"top_logprobs": [entry(*one) for one in ranked[:top]]})
    return {"content": content, "refusal": None}


def completion_logprobs(text: str, top: int) -> JSON:
    """The legacy completions form: four parallel lists."""
    tokens = tokens_of(text)
    ranked = [alternatives(token, index, max(top, 1)) for index, token in enumerate(tokens)]
    return {
        "tokens": tokens,
        "token_logprobs": [one[0][1] for one in ranked],
        "top_logprobs": [dict(one[:top]) for one in ranked],
        "text_offset": [len("".join(tokens[:i])) for i in range(len(tokens))],
    }


def tool_call_part(call: ToolCall) -> JSON:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def embedding_of(text: str) -> list[float]:
    return [((sum(text.encode()) * (i + 3)) % 97) / 97 for i in range(8)]
