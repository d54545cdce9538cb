"""Models, and counting their inferences."""

from __future__ import annotations

from typing import Any

import pytest


def test_onboard_and_get(api: Any, new_model_document: Any) -> None:
    sent = new_model_document()
    made = api.call("POST", "/models?async_model_provisioning=True", json=sent)
    assert made.status_code == 201
    document = made.json()
    assert document["status"] == "Ready"
    assert {key: document[key] for key in sent if key != "attributes"} | {
        "attributes": sent["attributes"]
    } == sent
    for attribute, original in zip(document["attributes"], sent["attributes"], strict=True):
        assert attribute == original | {"id": attribute["id"]}
    assert len({attribute["id"] for attribute in document["attributes"]}) == len(sent["attributes"])

    model_id = document["id"]
    whole = {"expand": "attributes"}
    assert api.call("GET", f"/models/{model_id}", params=whole).json() == document
    by_id = api.call("GET", f"/models/{model_id}", params={**whole, "id_type": "id"})
    by_name = api.call("GET", "/models/support-bot", params={**whole, "id_type": "partner_model_id"})
    assert by_id.json() == by_name.json() == document
    assert api.call("GET", f"/models/{model_id}").json().keys() == document.keys() - {"attributes"}
    listed = api.call("GET", "/models", params=whole).json()
    assert listed["data"] == [document]
    assert listed["total_count"] == 1


def test_unknown_models(api: Any, model_id: str) -> None:
    for path in ("/models/nope", "/models/support-bot", f"/models/{model_id}?id_type=partner_model_id"):
        response = api.call("GET", path)
        assert response.status_code == 404
        assert "not found" in response.json()["error"]
    assert api.call("GET", f"/models/{model_id}?id_type=name").status_code == 400
    for method, path in (("POST", ""), ("PATCH", ""), ("GET", ""), ("POST", "/query"), ("POST", "/file")):
        assert api.call(method, f"/models/nope/inferences{path}", json=[]).status_code == 404


def test_a_taken_name(api: Any, model_id: str, new_model_document: Any) -> None:
    response = api.call("POST", "/models", json=new_model_document())
    assert response.status_code == 409
    assert "'support-bot' already exists" in response.json()["error"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "2fast"}, ["'2fast'", "digit"]),
        ({"name": "with space"}, ["'with space'"]),
        ({"name": "naïve"}, ["'naïve'"]),
        ({"name": "output_text\n"}, ["letters"]),
        ({"name": "output_text"}, ["'output_text'", "twice"]),
        ({"name": None}, ["attribute 0", "'name'"]),
        ({"value_type": "TEXT"}, ["'input_text'", "value_type 'TEXT'", "UNSTRUCTURED_TEXT"]),
        ({"value_type": None}, ["value_type None"]),
        ({"stage": "OUTPUT"}, ["'input_text'", "stage 'OUTPUT'", "PREDICTED_VALUE"]),
        ({"token_attribute_link": "nowhere"}, ["'input_text'", "'nowhere'"]),
    ],
)
def test_attributes_that_are_refused(
    api: Any, new_model_document: Any, change: dict[str, Any], words: list[str]
) -> None:
    document = new_model_document()
    document["attributes"][0] |= change
    response = api.call("POST", "/models", json=document)
    assert response.status_code == 400
    assert [word for word in words if word not in response.json()["error"]] == []
    assert api.call("GET", "/models").json()["data"] == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"attributes": []}, "'attributes'"),
        ({"attributes": None}, "'attributes'"),
        ({"attributes": ["x"]}, "attribute 0"),
        ({"input_type": None}, "'input_type'"),
        ({"output_type": 1}, "'output_type'"),
        ({"partner_model_id": 1}, "'partner_model_id'"),
    ],
)
def test_models_that_are_refused(
    api: Any, new_model_document: Any, change: dict[str, Any], word: str
) -> None:
    response = api.call("POST", "/models", json=new_model_document() | change)
    assert response.status_code == 400
    assert word in response.json()["error"]


def test_a_model_that_is_no_object(api: Any) -> None:
    assert api.call("POST", "/models", json=[]).status_code == 400


def test_counts(api: Any, model_id: str, new_row: Any) -> None:
    api.send(model_id, [new_row("a", duration=1.0), new_row("b", duration=None), new_row("c")])
    api.send_ground_truth(model_id, [{"partner_inference_id": "b", "ground_truth_data": {"rating": 1}}])

    def count(**more: Any) -> int:
        query = {"select": [{"function": "count"}], **more}
        response = api.call("POST", f"/models/{model_id}/inferences/query", json=query)
        assert response.status_code == 200, response.text
        [result] = response.json()["query_result"]
        assert result.keys() == {"count"}
        return result["count"]

    def not_null(*names: str) -> list[dict[str, str]]:
        return [{"property": name, "comparator": "NotNull"} for name in names]

    assert count() == count(filter=[]) == 3
    assert count(**{"from": "ground_truth", "filter": not_null("rating")}) == 1
    assert count(**{"from": "ground_truth", "filter": not_null("rating", "expected_text")}) == 0
    assert count(filter=not_null("duration")) == 1


@pytest.mark.parametrize(
    "query",
    [
        [],
        {},
        {"select": [{"property": "duration"}]},
        {"select": [{"function": "count"}], "group_by": [{"property": "duration"}]},
        {"select": [{"function": "count"}], "from": "enrichments"},
        {"select": [{"function": "count"}], "filter": "x"},
        {"select": [{"function": "count"}], "filter": ["x"]},
        {
            "select": [{"function": "count"}],
            "filter": [{"property": "rating", "comparator": "gt", "value": 1}],
        },
        {"select": [{"function": "count"}], "filter": [{"property": "rating", "comparator": "Null"}]},
        {"select": [{"function": "count"}], "filter": [{"property": "nope", "comparator": "NotNull"}]},
        {"select": [{"function": "count"}], "filter": [{"property": ["x"], "comparator": "NotNull"}]},
    ],
)
def test_queries_that_are_refused(api: Any, model_id: str, query: Any) -> None:
    response = api.call("POST", f"/models/{model_id}/inferences/query", json=query)
    assert response.status_code == 400
    assert response.json()["error"]
