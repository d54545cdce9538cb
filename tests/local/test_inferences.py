"""Rows: what is taken, and each way to be refused."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from tests.support.servers.account import presentations


def test_a_whole_inference_is_kept_as_sent(api: Any, model_id: str) -> None:
    data = {
        "input_text": "Human: hi",
        "output_text": "Hello",
        "output_tokens": ["Hel", "lo"],
        "output_likelihoods": [{"Hel": 0.9, "Hi": 0.1}, {"lo": 0.99}],
        "prompt_tokens": 3,
        "duration": 0.42,
        "finish_reason": "stop",
        "truncated": False,
        "answered_at": "2026-11-22T12:00:00Z",
        "tool_names": ["a", "b"],
    }
    sent = {
        "partner_inference_id": "inf-1",
        "inference_timestamp": "2026-11-22T12:00:00.250000+00:00",
        "batch_id": "b",
        "inference_data": data,
        "ground_truth_timestamp": "2026-11-23T00:00:00+02:00",
        "ground_truth_data": {"expected_text": "Hello!", "rating": None},
    }
    assert api.send(model_id, [sent]) == [{"message": "success", "status": 200}]
    [kept] = api.stored(model_id)["inferences"]
    assert kept | sent | {"ground_truth_timestamp": "2026-11-22T22:00:00.000000+00:00"} == kept


def test_ids_and_timestamps_are_assigned(api: Any, model_id: str, new_row: Any) -> None:
    before = datetime.now(timezone.utc)
    api.send(model_id, [new_row(), new_row(), new_row() | {"partner_inference_id": None, "batch_id": None}])
    kept = api.stored(model_id)["inferences"]
    assert len({one["partner_inference_id"] for one in kept}) == 3
    for one in kept:
        assert before <= datetime.fromisoformat(one["inference_timestamp"]) <= datetime.now(timezone.utc)


@pytest.mark.parametrize(
    "data",
    [
        {"duration": 1},
        {"duration": None},
        {"prompt_tokens": -(2**63)},
        {"output_tokens": []},
        {"tool_names": []},
        {"output_likelihoods": [{"a": 1, "b": 0}]},
        {"answered_at": "2026-11-22t12:00:00.123456789-05:00"},
        {"finish_reason": "🦜"},
    ],
)
def test_edges_that_are_taken(api: Any, model_id: str, new_row: Any, data: dict[str, Any]) -> None:
    assert [one["status"] for one in api.send(model_id, [new_row("a", **data)])] == [200]
    [kept] = api.stored(model_id)["inferences"]
    assert kept["inference_data"] | data == kept["inference_data"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"unknown": 1}, ["'unknown'", "not an attribute"]),
        ({"expected_text": "x"}, ["'expected_text'", "ground_truth_data"]),
        ({"input_text": None}, ["'input_text'", "missing"]),
        ({"output_text": None}, ["'output_text'", "missing"]),
        ({"input_text": 1}, ["'input_text'", "`str`", "`int`"]),
        ({"prompt_tokens": "3"}, ["'prompt_tokens'", "INTEGER", "`str`"]),
        ({"prompt_tokens": 3.0}, ["'prompt_tokens'", "`float`"]),
        ({"prompt_tokens": True}, ["'prompt_tokens'", "`bool`"]),
        ({"prompt_tokens": 2**63}, ["'prompt_tokens'", str(2**63 - 1)]),
        ({"duration": "0.1"}, ["'duration'", "FLOAT", "`str`"]),
        ({"duration": False}, ["'duration'", "`bool`"]),
        ({"finish_reason": ["stop"]}, ["'finish_reason'", "STRING", "`array`"]),
        ({"truncated": 0}, ["'truncated'", "BOOLEAN", "`int`"]),
        ({"answered_at": 1700000000}, ["'answered_at'", "TIMESTAMP", "`int`"]),
        ({"answered_at": "2026-11-22T12:00:00"}, ["'answered_at'", "time zone"]),
        ({"answered_at": "yesterday"}, ["'answered_at'", "RFC 3339"]),
        ({"answered_at": "2026-02-30T12:00:00Z"}, ["'answered_at'", "not a moment"]),
        ({"answered_at": "2026-11-22"}, ["'answered_at'", "RFC 3339"]),
        ({"answered_at": "0001-01-01T00:00:00+14:00"}, ["'answered_at'", "not a moment"]),
        ({"tool_names": "a"}, ["'tool_names'", "ARRAY(STRING)", "`str`"]),
        ({"tool_names": ["a", 1]}, ["'tool_names'", "$[1]", "`int`"]),
        ({"output_tokens": {"a": 1}}, ["'output_tokens'", "TOKENS", "`object`"]),
        ({"output_tokens": ["a", None]}, ["'output_tokens'", "$[1]", "null"]),
        ({"output_likelihoods": [0.5]}, ["'output_likelihoods'", "$[0]", "`float`"]),
        ({"output_likelihoods": [{}]}, ["'output_likelihoods'", "$[0]"]),
        ({"output_likelihoods": [{"a": -0.1}]}, ["'output_likelihoods'", ">= 0"]),
        ({"output_likelihoods": [{"a": "x"}]}, ["'output_likelihoods'", "$[0]", "`str`"]),
        ({"output_tokens": ["a", "b"], "output_likelihoods": [{"a": 1.0}]}, ["1 maps", "2 tokens"]),
    ],
)
def test_values_that_are_refused(
    api: Any, model_id: str, new_row: Any, data: dict[str, Any], words: list[str]
) -> None:
    good, bad, also_good = api.send(model_id, [new_row("a"), new_row("b", **data), new_row("c")])
    assert (good["status"], bad["status"], also_good["status"]) == (200, 400, 200)
    assert [word for word in words if word not in bad["message"]] == []
    assert {one["partner_inference_id"] for one in api.stored(model_id)["inferences"]} == {"a", "c"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"inference_data": None}, ["inference_data is missing"]),
        ({"inference_data": []}, ["inference_data must be an object", "an array"]),
        ({"partner_inference_id": 7}, ["partner_inference_id", "an integer"]),
        ({"partner_inference_id": ""}, ["partner_inference_id"]),
        ({"inference_timestamp": "2026-11-22T12:00:00"}, ["inference_timestamp", "time zone"]),
        ({"inference_timestamp": 0}, ["inference_timestamp", "an integer"]),
        ({"ground_truth_timestamp": "soon"}, ["ground_truth_timestamp"]),
        ({"ground_truth_data": {"input_text": "x"}}, ["'input_text'", "belongs in inference_data"]),
        ({"ground_truth_data": {"rating": "good"}}, ["'rating'", "INTEGER"]),
        ({"batch_id": 1}, ["batch_id", "an integer"]),
        ({"input_text": "flat"}, ["unknown key 'input_text'"]),
    ],
)
def test_rows_that_are_refused(
    api: Any, model_id: str, new_row: Any, change: dict[str, Any], words: list[str]
) -> None:
    [result] = api.send(model_id, [new_row("a") | change])
    assert result["status"] == 400
    assert [word for word in words if word not in result["message"]] == []
    assert api.stored(model_id)["total"] == 0


def test_a_row_that_is_no_object(api: Any, model_id: str, new_row: Any) -> None:
    results = api.send(model_id, ["text", None, new_row()])
    assert [one["status"] for one in results] == [400, 400, 200]


def test_repeated_ids_are_refused(api: Any, model_id: str, new_row: Any) -> None:
    first = api.send(model_id, [new_row("a"), new_row("a", duration=1.0), new_row("b")])
    assert [one["status"] for one in first] == [200, 409, 200]
    assert "'a' already exists" in first[1]["message"]
    again = api.send(model_id, [new_row("b"), new_row("c")])
    assert [one["status"] for one in again] == [409, 200]
    assert presentations(api.arthur, model_id) == {"a": 1, "b": 1, "c": 1}
    other = api.onboard("another")
    assert [one["status"] for one in api.send(other, [new_row("a")])] == [200]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"inference_data": {}}', "array"),
        (b"[{]", "not JSON"),
        (b"", "not JSON"),
        (b'[{"duration": NaN}]', "not JSON"),
        (b'["\xff"]', "not JSON"),
    ],
)
def test_bodies_that_are_refused(api: Any, model_id: str, method: str, body: bytes, words: str) -> None:
    response = api.call(method, f"/models/{model_id}/inferences", data=body)
    assert response.status_code == 400
    assert words in response.json()["error"]


def test_nothing_to_send_is_no_error(api: Any, model_id: str) -> None:
    assert api.send(model_id, []) == []


def test_ground_truth(api: Any, model_id: str, new_row: Any) -> None:
    api.send(model_id, [new_row("a"), new_row("b")])
    results = api.send_ground_truth(
        model_id,
        [
            {
                "partner_inference_id": "a",
                "ground_truth_timestamp": "2026-11-22T21:31:52.729679+00:00",
                "ground_truth_data": {"expected_text": "Hello!"},
            },
            {"partner_inference_id": "nobody", "ground_truth_data": {"expected_text": "x"}},
            {"partner_inference_id": "b", "ground_truth_data": {"output_text": "x"}},
            {"partner_inference_id": "b", "ground_truth_data": {"rating": "x"}},
            {"partner_inference_id": "b", "ground_truth_data": {}},
            {"partner_inference_id": "b", "ground_truth_data": {"rating": 1}, "inference_data": {}},
            {"ground_truth_data": {"rating": 1}},
            {"partner_inference_id": "b", "ground_truth_data": {"rating": 1}, "ground_truth_timestamp": "1"},
        ],
    )
    assert [one["status"] for one in results] == [200, 404, 400, 400, 400, 400, 400, 400]
    assert "'nobody'" in results[1]["message"]
    kept = {one["partner_inference_id"]: one for one in api.stored(model_id)["inferences"]}
    assert kept["a"]["ground_truth_data"] == {"expected_text": "Hello!"}
    assert kept["a"]["ground_truth_timestamp"] == "2026-11-22T21:31:52.729679+00:00"
    assert kept["b"]["ground_truth_data"] is None


def test_later_ground_truth_adds_and_replaces(api: Any, model_id: str, new_row: Any) -> None:
    api.send(model_id, [new_row("a")])
    for truth in ({"expected_text": "one", "rating": 1}, {"rating": 2}):
        api.send_ground_truth(model_id, [{"partner_inference_id": "a", "ground_truth_data": truth}])
    [kept] = api.stored(model_id)["inferences"]
    assert kept["ground_truth_data"] == {"expected_text": "one", "rating": 2}


def test_pages_of_inferences(api: Any, model_id: str, new_row: Any) -> None:
    moments = [f"2026-11-22T12:00:0{second}+00:00" for second in (3, 1, 2)]
    api.send(
        model_id,
        [new_row(at[17:19], finish_reason="ÜBER %_") | {"inference_timestamp": at} for at in moments],
    )
    everything = api.stored(model_id)
    assert [one["partner_inference_id"] for one in everything["inferences"]] == ["03", "02", "01"]
    middle = api.stored(model_id, limit=1, offset=1)
    assert (middle["total"], middle["inferences"]) == (3, everything["inferences"][1:2])
    assert api.stored(model_id, search="über %_")["total"] == 3
    assert api.stored(model_id, search="02")["total"] == 1
    # Names of attributes are not what people look for.
    assert api.stored(model_id, search="finish_reason")["total"] == 0
    for bad in ({"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"offset": -1}, {"offset": "9" * 30}):
        assert api.call("GET", f"/models/{model_id}/inferences", params=bad).status_code == 400
