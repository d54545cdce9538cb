"""Bulk uploads; parquet needs pyarrow, which is tried where it is installed."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest

from otel_arthur.local.v3.files import _json_value

ROWS: list[dict[str, Any]] = [
    {"partner_inference_id": "a", "input_text": "x", "output_text": "y", "prompt_tokens": 1},
    {"partner_inference_id": "a", "input_text": "x", "output_text": "y"},
    {"partner_inference_id": "b", "input_text": "x"},
    {"partner_inference_id": "c", "inference_data": {"input_text": "x", "output_text": "y"}},
    {"partner_inference_id": "d", "input_text": "x", "output_text": "y", "rating": 5},
]
"""Flat and nested, good and bad."""
STATUSES = [200, 409, 400, 200, 200]


def upload(api: Any, model_id: str, *contents: bytes, part: str = "inference_data", **form: str) -> Any:
    files = [(part, (f"{number}.bin", content)) for number, content in enumerate(contents)]
    return api.call("POST", f"/models/{model_id}/inferences/file", files=files, data=form)


@pytest.mark.parametrize("encode", [json.dumps, lambda rows: "\n".join(map(json.dumps, rows)) + "\n"])
def test_json_files(api: Any, model_id: str, encode: Any) -> None:
    response = upload(api, model_id, encode(ROWS).encode(), batch_id="monday")
    assert response.status_code == 207, response.text
    body = response.json()
    assert [one["status"] for one in body["results"]] == STATUSES
    assert body["counts"] == {"success": 3, "failure": 2, "total": 5}
    assert [one["row"] for one in body["failures"]] == [1, 2]
    kept = {one["partner_inference_id"]: one for one in api.stored(model_id)["inferences"]}
    assert kept.keys() == {"a", "c", "d"}
    assert {one["batch_id"] for one in kept.values()} == {"monday"}
    assert kept["a"]["inference_data"] == {"input_text": "x", "output_text": "y", "prompt_tokens": 1}
    assert kept["d"]["ground_truth_data"] == {"rating": 5}


def test_several_files_and_many_rows(api: Any, model_id: str) -> None:
    files = [
        json.dumps(
            [
                {"partner_inference_id": f"{file}-{n}", "input_text": "x", "output_text": "y"}
                for n in range(1500)
            ]
        ).encode()
        for file in range(2)
    ]
    assert upload(api, model_id, *files).json()["counts"] == {"success": 3000, "failure": 0, "total": 3000}
    assert api.arthur.store.count(model_id) == 3000


def test_ground_truth_files(api: Any, model_id: str, new_row: Any) -> None:
    api.send(model_id, [new_row("a"), new_row("b")])
    truths = [
        {"partner_inference_id": "a", "rating": 1},
        {"partner_inference_id": "b", "ground_truth_data": {"rating": 2}},
        {"partner_inference_id": "c", "rating": 3},
    ]
    response = upload(api, model_id, json.dumps(truths).encode(), part="ground_truth_data")
    assert [one["status"] for one in response.json()["results"]] == [200, 200, 404]
    assert api.arthur.store.count(model_id, [("ground_truth_data", "rating")]) == 2


@pytest.mark.parametrize("content", [b"neither", b'{"a": 1}\n{', b"[1,", b"PAR1 but no parquet"])
def test_files_that_cannot_be_read(api: Any, model_id: str, content: bytes) -> None:
    response = upload(api, model_id, content)
    assert response.status_code in (400, 415)
    assert response.json()["error"]
    assert api.arthur.store.count(model_id) == 0


def test_forms_that_cannot_be_read(api: Any, model_id: str) -> None:
    path = f"/models/{model_id}/inferences/file"
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    for headers, body in (
        ({"Content-Type": "application/json"}, b"[]"),
        ({"Content-Type": "multipart/form-data"}, b"--x"),
        (form, b"nothing of the kind"),
        (form, b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\n1\r\n--x--\r\n'),
    ):
        response = api.call("POST", path, data=body, headers=headers)
        assert response.status_code == 400, body
        assert response.json()["error"]


def test_the_size_of_an_upload_is_bounded(api: Any, model_id: str) -> None:
    headers = {
        "Content-Type": "multipart/form-data; boundary=x",
        "Content-Length": str(256 * 1024 * 1024 + 1),
    }
    response = api.call("POST", f"/models/{model_id}/inferences/file", data=iter([]), headers=headers)
    assert response.status_code == 413


def test_parquet_without_pyarrow(api: Any, model_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # What the import system itself does where the package is not installed.
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    response = upload(api, model_id, b"PAR1....PAR1")
    assert response.status_code == 415
    assert "pip install pyarrow" in response.json()["error"]


def test_parquet(api: Any, model_id: str) -> None:
    pytest.importorskip("pyarrow", reason="parquet needs pyarrow")
    import pyarrow
    from pyarrow import parquet

    file = io.BytesIO()
    likelihoods = [[{"a": 0.5, "b": 0.25}], [{"c": 1.0}]]
    columns = {
        "partner_inference_id": ["a", "b"],
        "input_text": ["x", "x"],
        "output_text": ["y", None],
        "duration": [float("nan"), 1.0],
        "output_likelihoods": likelihoods,
    }
    parquet.write_table(pyarrow.table(columns), file)
    response = upload(api, model_id, file.getvalue())
    assert [one["status"] for one in response.json()["results"]] == [200, 400]
    [kept] = api.stored(model_id)["inferences"]
    assert kept["inference_data"] == {
        "input_text": "x",
        "output_text": "y",
        "duration": None,
        "output_likelihoods": likelihoods[0],
    }


def test_parquet_values() -> None:
    assert _json_value([("a", 0.5), ("b", float("inf"))]) == {"a": 0.5, "b": None}
    assert _json_value([{"a": 1.0, "other row": None}]) == [{"a": 1.0}]
    assert _json_value([]) == []
