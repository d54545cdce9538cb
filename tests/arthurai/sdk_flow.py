"""Arthur's own SDK, unchanged, against local Arthur: every flow that the bridge's users have.

For an environment of its own, which holds both:
    pip install 'arthurai==3.33.3' 'numpy<2' 'otel-arthur[local]'
    python tests/arthurai/sdk_flow.py
Prints one line per step; exit 0 when all hold, 1 with the first that does not.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pandas as pd
from arthurai import ArthurAI
from arthurai.common.constants import InputType, OutputType, Stage, ValueType
from arthurai.common.exceptions import ArthurError

from otel_arthur.local import LocalArthur

TWO_TOKENS = {
    "input_text": "Human: hi",
    "output_text": "Hello",
    "output_tokens": ["Hel", "lo"],
    "output_likelihoods": [{"Hel": 0.9, "Hi": 0.1}, {"lo": 0.99}],
    "prompt_tokens": 3,
    "completion_tokens": 2,
    "finish_reason": "stop",
    "duration": 0.42,
}


def step(description: str) -> None:
    print("ok", description, flush=True)


def refused(call: Callable[[], Any], *expected: str) -> None:
    """The SDK raises, and its message has the words that a user needs."""
    message = None
    try:
        call()
    except ArthurError as error:
        message = str(error)
    assert message is not None, "the SDK raised nothing"
    missing = [words for words in expected if words not in message]
    assert not missing, f"{missing} not in {message}"


def new_model(client: ArthurAI) -> Any:
    model = client.model(
        partner_model_id="support-bot",
        display_name="Support bot",
        input_type=InputType.NLP,
        output_type=OutputType.TokenSequence,
    )
    model.build_token_sequence_model(
        input_column="input_text",
        output_text_column="output_text",
        input_token_column="input_tokens",
        output_token_column="output_tokens",
        output_likelihood_column="output_likelihoods",
        ground_truth_text_column="expected_text",
    )
    for attribute, value_type in {
        "prompt_tokens": ValueType.Integer,
        "completion_tokens": ValueType.Integer,
        "finish_reason": ValueType.String,
        "duration": ValueType.Float,
        "at": ValueType.Timestamp,
        "cached": ValueType.Boolean,
        "tool_names": ValueType.StringArray,
    }.items():
        model.add_attribute(name=attribute, value_type=value_type, stage=Stage.NonInputData)
    return model


def onboarding(arthur: LocalArthur) -> Any:
    by_login = ArthurAI(url=arthur.url, login="local", password=arthur.api_key, allow_insecure=True)
    assert by_login.client.session.headers["Arthur-Organization-ID"] == arthur.organization_id
    step("log in with login and password")
    client = ArthurAI(url=arthur.url, access_key=arthur.api_key, allow_insecure=True)
    assert client.client.session.headers["Arthur-Organization-ID"] == arthur.organization_id
    step("use an API key; the organisation is found")
    model = new_model(client)
    model_id = model.save()
    step("build_token_sequence_model and save")
    assert by_login.get_model(model_id).id == model_id
    again = client.get_model("support-bot", id_type="partner_model_id")
    assert again.id == model_id
    assert {one.name for one in again.attributes} == {one.name for one in model.attributes}
    step("get_model by both kinds of id")
    refused(lambda: new_model(client).save(), "support-bot", "already exists")
    step("a taken partner_model_id is refused")
    refused(lambda: ArthurAI(url=arthur.url, access_key="wrong", allow_insecure=True), "access key")
    refused(
        lambda: ArthurAI(url=arthur.url, login="local", password="wrong", allow_insecure=True), "password"
    )
    refused(lambda: client.get_model("nope"), "404", "nope")
    step("wrong key, wrong password and unknown model raise")
    return again


def sending(arthur: LocalArthur, model: Any) -> None:
    now = datetime.now(timezone.utc)
    answer = model.send_inferences(
        [
            {"partner_inference_id": "one", "inference_timestamp": now, "inference_data": TWO_TOKENS},
            {"inference_data": {"input_text": "Human: NaN", "output_text": "x", "duration": float("nan")}},
            {
                "input_text": "flat",
                "output_text": "row",
                "at": now.isoformat(),
                "cached": True,
                "tool_names": ["a"],
            },
        ]
    )
    assert answer["counts"] == {"success": 3, "failure": 0, "total": 3}, answer
    stored = arthur.store.inferences(model.id).inferences
    first = next(one for one in stored if one.partner_inference_id == "one")
    assert first.inference_data == TWO_TOKENS
    assert datetime.fromisoformat(first.inference_timestamp) == now
    assert any(one.inference_data.get("duration", 0) is None for one in stored)
    step("send_inferences with and without ids and timestamps, NaN as null")

    new_and_old = [
        {"partner_inference_id": "two", "inference_data": TWO_TOKENS},
        {"partner_inference_id": "one", "inference_data": TWO_TOKENS},
    ]
    answer = model.send_inferences(new_and_old, fail_silently=True)
    assert [row["status"] for row in answer["results"]] == [200, 409], answer
    refused(lambda: model.send_inferences(new_and_old[1:]), "already exists")
    assert {one.presentation for one in arthur.store.inferences(model.id).inferences} == {1}
    step("a repeated id is refused beside a new one, which is kept")

    wrong = {"inference_data": {**TWO_TOKENS, "prompt_tokens": "three"}}
    refused(lambda: model.send_inferences([wrong]), "prompt_tokens", "INTEGER", "Expected `int`")
    step("a wrong type raises, naming attribute and type")


def ground_truth(arthur: LocalArthur, model: Any) -> None:
    truth = {"partner_inference_id": "one", "ground_truth_data": {"expected_text": "Hello!"}}
    answer = model.update_inference_ground_truths([truth])
    assert answer["counts"]["success"] == 1, answer
    refused(
        lambda: model.update_inference_ground_truths([{**truth, "partner_inference_id": "nobody"}]), "nobody"
    )
    step("ground truth is taken, an unknown id raises")
    [with_truth] = model.query(
        {
            "select": [{"function": "count"}],
            "from": "ground_truth",
            "filter": [{"property": "expected_text", "comparator": "NotNull"}],
        }
    )
    assert with_truth == {"count": 1}, with_truth
    [everything] = model.query({"select": [{"function": "count"}]})
    assert everything == {"count": arthur.store.count(model.id)}, everything
    model.await_inferences(min_count=1, timeout_min=0.1)
    model.await_inferences(min_count=4, with_ground_truth=False, timeout_min=0.1)
    refused(lambda: model.query({"select": [{"property": "duration"}]}), "unsupported select")
    step("query counts and await_inferences")


def bulk(arthur: LocalArthur, model: Any) -> None:
    before = arthur.store.count(model.id)
    frame = pd.DataFrame(
        {
            "partner_inference_id": ["bulk-1", "bulk-2", "one"],
            "inference_timestamp": [datetime.now(timezone.utc)] * 3,
            "input_text": ["a", "b", "c"],
            "output_text": ["A", "B", "C"],
            "output_tokens": [["A"], ["B", "b"], ["C"]],
            "output_likelihoods": [[{"A": 0.5, "Z": 0.25}], [{"B": 1.0}, {"b": 0.125}], [{"C": 1.0}]],
            "prompt_tokens": [1, 2, 3],
            "duration": [0.5, float("nan"), 1.0],
        }
    )
    answer, _ = model.send_bulk_inferences(data=frame)
    assert answer["counts"] == {"success": 2, "failure": 1, "total": 3}, answer
    assert arthur.store.count(model.id) == before + 2
    [second] = arthur.store.inferences(model.id, search="bulk-2").inferences
    assert second.inference_data["output_tokens"] == ["B", "b"]
    assert second.inference_data["output_likelihoods"] == [{"B": 1.0}, {"b": 0.125}]
    assert second.inference_data["duration"] is None
    step("send_bulk_inferences: parquet, with one repeated id counted as failed")
    truths = pd.DataFrame(
        {
            "partner_inference_id": ["bulk-1"],
            "ground_truth_timestamp": [datetime.now(timezone.utc)],
            "expected_text": ["Aha"],
        }
    )
    answer = model.send_bulk_ground_truths(data=truths)
    assert answer["counts"] == {"success": 1, "failure": 0, "total": 1}, answer
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rows.json").write_text(
            '[{"partner_inference_id": "json-1", "inference_timestamp": "2026-11-22T12:00:00Z", '
            '"input_text": "a", "output_text": "b"}]',
            encoding="utf-8",
        )
        answer, _ = model.send_bulk_inferences(directory_path=folder)
    assert answer["counts"]["success"] == 1, answer
    step("send_bulk_ground_truths, and bulk JSON files")


def main() -> int:
    # The SDK reads them beside its arguments.
    for name in [name for name in os.environ if name.startswith("ARTHUR_")]:
        del os.environ[name]
    with LocalArthur() as arthur:
        model = onboarding(arthur)
        sending(arthur, model)
        ground_truth(arthur, model)
        bulk(arthur, model)
    return 0


if __name__ == "__main__":
    sys.exit(main())
