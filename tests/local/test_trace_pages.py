"""The pages of traces: a tree with the conversation of each call, and what they show is inert."""

from __future__ import annotations

import json
from typing import Any

from otel_arthur.local.engine.spans import ReceivedResource
from tests.local.page import HOSTILE, TRACE, page, span
from tests.support.waiting import PATIENCE


def call(text: str) -> dict[str, Any]:
    key = "llm.{}_messages.0.message.{}"
    return {
        key.format("input", "role"): "user",
        key.format("input", "content"): text,
        key.format("output", "role"): "assistant",
        key.format("output", "content"): f"you said {text}",
        key.format("output", "tool_calls.0.tool_call.function.name"): "lookup",
        key.format("output", "tool_calls.0.tool_call.function.arguments"): '{"q":1}',
    }


def test_a_trace_is_shown_as_a_tree_with_its_conversation(api: Any) -> None:
    spans = (
        span("b" * 16, "c" * 16, "LLM", "chat", **call("hello")),
        span("c" * 16, None, "CHAIN", "GET /", **{"input.value": "asked", "output.value": "told"}),
    )
    api.arthur.traces.add([ReceivedResource(None, "bot", spans, ())])
    api.arthur.traces.annotate(TRACE, 0, "wrong city")
    listed = page(api, "/traces")
    assert f"/traces/{TRACE}" in listed.links()
    assert [word in listed.text for word in ("GET /", "asked", "told", "8")] == [True] * 4
    shown = page(api, f"/traces/{TRACE}").text
    assert shown.index("GET /") < shown.index("chat")
    for words in (
        "hello",
        "you said hello",
        "calls lookup",
        '"q": 1',
        "3 + 5 tokens",
        "wrong city",
        "2 spans",
    ):
        assert words in shown
    listed = page(api, "/calls")
    assert [word in listed.text for word in ("1 call", "bot", "hello")] == [True] * 3
    page(api, "/traces/none", 404)


def test_the_download_of_a_span_has_all_that_is_stored(api: Any) -> None:
    one = span("b" * 16, None, "LLM", "chat", **call("hello"))
    api.arthur.traces.add([ReceivedResource(None, "bot", (one,), ())])
    address, key = f"{api.arthur.url}/calls.jsonl", {"Authorization": api.arthur.api_key}
    (line,) = api.session.get(address, headers=key, timeout=PATIENCE).text.splitlines()
    record = json.loads(line)
    assert record["attributes"]["llm.input_messages.0.message.content"] == "hello"
    assert (record["span_id"], record["name"]) == ("b" * 16, "chat")


def test_what_a_trace_says_is_inert(api: Any) -> None:
    spans = [span(f"{n:016x}", None, "LLM", text, **call(text)) for n, text in enumerate(HOSTILE, 1)]
    api.arthur.traces.add([ReceivedResource(None, "bot", tuple(spans), ())])
    for path in ("/traces", f"/traces/{TRACE}"):
        found = page(api, path)
        assert not {"img", "iframe"} & set(found.tags)
        assert found.tags.count("script") == 2
        assert not any(name.startswith("on") for name, _ in found.attributes)
