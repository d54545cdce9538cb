"""The pages: what they show, and that what they show is inert."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from otel_arthur.local import LocalArthur
from otel_arthur.local.engine.spans import ReceivedResource
from otel_arthur.printable import printable
from tests.local.page import HOSTILE, calls_on, page, span
from tests.support.servers.account import onboarded
from tests.support.waiting import PATIENCE


def test_an_empty_database_says_what_to_do(api: Any) -> None:
    for path in ("/", "/calls"):
        found = page(api, path).text
        assert "Nothing has arrived" in found
        assert f"export OTEL_EXPORTER_ARTHUR_ENDPOINT={api.arthur.url}" in found
    assert "ARTHUR_BASE_URL" in page(api, "/traces").text


def test_the_list_and_one_call(api: Any, model_id: str, new_row: Any) -> None:
    api.send(
        model_id,
        [
            new_row("older") | {"inference_timestamp": "2026-11-22T12:00:00.250000+00:00"},
            new_row(
                "newer",
                duration=0.42,
                truncated=True,
                output_tokens=["Hel", "lo"],
                output_likelihoods=[{"Hel": 0.9}, {"lo": 0.99}],
                finish_reason=None,
            )
            | {"inference_timestamp": "2026-11-22T14:00:00+01:00", "batch_id": "monday"},
        ],
    )
    truth = {"expected_text": "Hello!"}
    api.send_ground_truth(model_id, [{"partner_inference_id": "newer", "ground_truth_data": truth}])
    listed = page(api, "/calls")
    assert "2 calls" in listed.text
    newer, older = calls_on(listed)
    assert listed.text.index("13:00:00") < listed.text.index("12:00:00")
    assert "420 ms" in listed.text
    whole = page(api, newer)
    expected = [
        "newer",
        "monday",
        "Support bot",
        "hi",
        "Hello",
        "0.42",
        "true",
        "Hel",
        "99.0%",
        "null",
        "Hello!",
    ]
    shown = whole.text + "".join(value or "" for _, value in whole.attributes)
    assert [words for words in expected if words not in shown] == []
    assert "None has arrived" in page(api, older).text
    assert "None has arrived" not in whole.text


TRANSCRIPT = """System: Be brief.
Human: weather?
AI: Let me look.[{'name': 'weather', 'args': {'city': 'Paris'}, 'id': 'a', 'type': 'tool_call'}]
Tool: {"sky": "clear"}
Human: and tomorrow?"""


def test_a_failed_call_is_said_to_have_failed_and_turns_have_roles(api: Any) -> None:
    model_id = onboarded(api.arthur)
    data = {"input_text": TRANSCRIPT, "output_text": "", "status": "error", "error_type": "RateLimitError"}
    api.send(model_id, [{"inference_data": {**data, "conversation_id": "c/1", "trace_id": "f" * 32}}])
    for path in ("/calls/1", "/conversation?id=c%2F1"):
        found = page(api, path).text
        said = "This call failed: RateLimitError. No answer of the model was recorded."
        assert said in " ".join(found.split())
        order = [
            "system",
            "Be brief.",
            "user",
            "weather?",
            "assistant",
            "Let me look.",
            "calls weather",
            "Paris",
        ]
        order += ["tool", '"sky": "clear"', "user", "and tomorrow?", "failed"]
        places: list[int] = []
        for words in order:
            places.append(found.index(words, places[-1] if places else found.index("system")))
        assert "What the error says was not recorded." in found
    assert "RateLimitError" in page(api, "/").text
    assert "1 call" in page(api, f"/traces/{'f' * 32}").text
    api.send(model_id, [{"inference_data": {**data, "output_text": "It is", "error_type": "TimeoutError"}}])
    assert "TimeoutError It is" in " ".join(page(api, "/calls").text.split())
    assert "of other kinds" not in page(api, "/").text
    api.send(model_id, [{"inference_data": {**data, "error_type": kind}} for kind in ("E3", "E4", "")])
    assert "3 of other kinds" in page(api, "/").text


def test_long_texts_are_shown_in_part(api: Any, model_id: str, new_row: Any) -> None:
    api.send(model_id, [{"inference_data": {"input_text": "x" * 10**6, "output_text": "y" * 30_000}}])
    short = page(api, "/calls/1")
    assert "the first 20,000 of 1,000,000 characters" in short.text
    assert len(short.text) < 200_000
    assert "x" * 10**6 in page(api, "/calls/1", whole="1").text


def test_a_browser_gets_a_page_where_others_get_json(api: Any) -> None:
    for path, status, said in (("/calls", 401, "otel-arthur local"), ("/nothing", 404, "No such page")):
        address, nobody = api.arthur.url + path, {"Authorization": None}
        page = api.session.get(address, headers={**nobody, "Accept": "text/html"}, timeout=PATIENCE)
        assert (page.status_code, said in page.text, "<main>" in page.text) == (status, True, True)
        other = api.session.get(address, headers=nobody, timeout=PATIENCE)
        assert other.json().keys() == {"error"}


def test_unknown_calls(api: Any) -> None:
    for number in (7, 2**63, 10**40):
        assert f"No call {number}" in page(api, f"/calls/{number}", 404).text
    assert "No conversation" in page(api, "/conversation", 404, id="x").text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_model_output_is_inert(api: Any, new_row: Any, new_model_document: Any, hostile: str) -> None:
    document = new_model_document() | {"display_name": hostile, "partner_model_id": hostile}
    model_id = api.call("POST", "/models", json=document).json()["id"]
    everywhere = {
        "input_text": hostile,
        "output_text": hostile,
        "finish_reason": hostile,
        "tool_names": [hostile],
        "output_tokens": [hostile],
        "output_likelihoods": [{hostile: 0.5}],
    }
    hostile_row = new_row(hostile, **everywhere) | {
        "batch_id": hostile,
        "ground_truth_data": {"expected_text": hostile},
    }
    harmless = {name: [value] if isinstance(value, list) else "x" for name, value in everywhere.items()}
    harmless |= {"output_tokens": ["x"], "output_likelihoods": [{"x": 0.5}], "tool_names": ["x"]}
    harmless_row = new_row("x", **harmless) | {"batch_id": "x", "ground_truth_data": {"expected_text": "x"}}
    rows = [new_row("first"), hostile_row, harmless_row, new_row("last")]
    assert [one["status"] for one in api.send(model_id, rows)] == [200] * 4

    bad, good = page(api, "/calls/2"), page(api, "/calls/3")
    assert bad.tags == good.tags
    assert [name for name, _ in bad.attributes] == [name for name, _ in good.attributes]
    for found in (bad, page(api, "/calls", search=hostile), page(api, "/")):
        assert not {"img", "svg", "iframe", "style"} & set(found.tags)
        assert not [name for name, _ in found.attributes if name.startswith("on") or name == "style"]
        assert [link for link in found.links() if not link.startswith("/")] == []
    assert printable(hostile) in bad.text  # characters that hide or turn others are signs


def test_calls_of_a_database_from_before_the_dashboard_are_shown(tmp_path: Path, client_of: Any) -> None:
    db = tmp_path / "arthur.db"
    with LocalArthur(db=db) as arthur:
        api = client_of(arthur)
        data = {"input_text": "Human: hi", "output_text": "hello", "status": "error", "duration": 2.0}
        api.send(onboarded(arthur), [{"inference_data": data}])
        arthur.traces.add([ReceivedResource(None, "bot", (span("b" * 16, None, "LLM", "chat"),), ())])
    with closing(sqlite3.connect(db)) as old:
        for statement in ("TRIGGER call_of_inference", "TRIGGER call_of_span", "TABLE calls"):
            old.execute(f"DROP {statement}")
        old.execute("PRAGMA user_version = 2")
    with LocalArthur(db=db) as arthur:
        found = page(client_of(arthur), "/calls", sort="-duration").text
    assert ("2 calls" in found, "failed" in found, "2.00 s" in found, "bot" in found) == (True,) * 4


def test_a_repeated_id_is_marked(client_of: Any, new_row: Any) -> None:
    with LocalArthur(accept_duplicates=True) as arthur:
        api = client_of(arthur)
        api.send(api.onboard(), [new_row("a"), new_row("a")])
        assert "repeated id" in page(api, "/calls").text
        assert "presentation 2" in page(api, "/calls/2").text
        assert "presentation" not in page(api, "/calls/1").text


def test_pages_cannot_be_written_to(api: Any) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert api.session.request(method, api.arthur.url + "/", timeout=PATIENCE).status_code == 405
    for path in ("/static/../server.py", "/static/%2e%2e/server.py", "/static/", "/templates/page.html"):
        assert api.session.get(api.arthur.url + path, timeout=PATIENCE).status_code == 404
