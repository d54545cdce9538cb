"""Local Arthur and what its tests say to it, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from otel_arthur.local import LocalArthur
from tests.support.servers.ports import free_port
from tests.support.waiting import PATIENCE

ATTRIBUTES: dict[str, tuple[str, str]] = {
    "input_text": ("PIPELINE_INPUT", "UNSTRUCTURED_TEXT"),
    "output_text": ("PREDICTED_VALUE", "UNSTRUCTURED_TEXT"),
    "output_tokens": ("PREDICTED_VALUE", "TOKENS"),
    "output_likelihoods": ("PREDICTED_VALUE", "TOKEN_LIKELIHOODS"),
    "prompt_tokens": ("NON_INPUT_DATA", "INTEGER"),
    "duration": ("NON_INPUT_DATA", "FLOAT"),
    "finish_reason": ("NON_INPUT_DATA", "STRING"),
    "truncated": ("NON_INPUT_DATA", "BOOLEAN"),
    "answered_at": ("NON_INPUT_DATA", "TIMESTAMP"),
    "tool_names": ("NON_INPUT_DATA", "ARRAY(STRING)"),
    "expected_text": ("GROUND_TRUTH", "UNSTRUCTURED_TEXT"),
    "rating": ("GROUND_TRUTH", "INTEGER"),
}
"""Name -> stage and value type: one attribute of each type."""


def model_document(name: str = "support-bot") -> dict[str, Any]:
    """The body of ``POST /models``, in the shape that the SDK sends."""
    attributes = [
        {
            "name": attribute,
            "value_type": value_type,
            "stage": stage,
            "categorical": False,
            "monitor_for_bias": False,
            "is_unique": False,
            "is_positive_predicted_attribute": False,
            "implicit": False,
        }
        for attribute, (stage, value_type) in ATTRIBUTES.items()
    ]
    attributes[2]["token_attribute_link"] = "output_text"
    return {
        "partner_model_id": name,
        "input_type": "NLP",
        "output_type": "TOKEN_SEQUENCE",
        "display_name": "Support bot",
        "is_batch": False,
        "archived": False,
        "attributes": attributes,
    }


def row(identity: str | None = None, **data: Any) -> dict[str, Any]:
    """A good inference, with `data` beside its texts."""
    inference: dict[str, Any] = {
        "inference_data": {"input_text": "Human: hi", "output_text": "Hello", **data}
    }
    return inference if identity is None else {"partner_inference_id": identity, **inference}


class ApiClient:
    """Requests to the v3 API with the headers that the SDK sends."""

    def __init__(self, arthur: LocalArthur) -> None:
        self.arthur = arthur
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update(
            {
                "Accept": "application/json",
                "Authorization": arthur.api_key,
                "Arthur-Organization-ID": arthur.organization_id,
            }
        )

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(method, f"{self.arthur.url}/api/v3{path}", timeout=PATIENCE, **more)

    def onboard(self, name: str = "support-bot") -> str:
        response = self.call("POST", "/models", json=model_document(name))
        assert response.status_code == 201, response.text
        return response.json()["id"]

    def send(self, model_id: str, rows: list[Any]) -> list[dict[str, Any]]:
        """The results of a 207 whose counts agree with them."""
        return _results(self.call("POST", f"/models/{model_id}/inferences", json=rows), rows)

    def send_ground_truth(self, model_id: str, rows: list[Any]) -> list[dict[str, Any]]:
        return _results(self.call("PATCH", f"/models/{model_id}/inferences", json=rows), rows)

    def stored(self, model_id: str, **parameters: Any) -> dict[str, Any]:
        response = self.call("GET", f"/models/{model_id}/inferences", params=parameters)
        assert response.status_code == 200, response.text
        return response.json()


def _results(response: requests.Response, rows: list[Any]) -> list[dict[str, Any]]:
    assert response.status_code == 207, response.text
    body = response.json()
    assert body.keys() == {"counts", "results"}
    good = sum(result["status"] == 200 for result in body["results"])
    assert body["counts"] == {"success": good, "failure": len(rows) - good, "total": len(rows)}
    assert len(body["results"]) == len(rows)
    return body["results"]


@pytest.fixture
def arthur() -> Iterator[LocalArthur]:
    with LocalArthur(port=free_port()) as running:
        yield running


@pytest.fixture
def api(arthur: LocalArthur) -> Iterator[ApiClient]:
    client = ApiClient(arthur)
    with client.session:
        yield client


@pytest.fixture
def model_id(api: ApiClient) -> str:
    return api.onboard()


@pytest.fixture
def new_row() -> Any:
    return row


@pytest.fixture
def new_model_document() -> Any:
    return model_document


@pytest.fixture
def client_of() -> Iterator[Any]:
    """Clients of further servers."""
    made: list[ApiClient] = []

    def client(arthur: LocalArthur) -> ApiClient:
        made.append(ApiClient(arthur))
        return made[-1]

    yield client
    for one in made:
        one.session.close()
