"""The pages: what they show, and that what they show is inert."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

from tests.support.waiting import PATIENCE

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "</bdi></pre></textarea></title><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "' onmouseover='alert(1)",
    "\u202egnp.exe\x00\x1b[31m",
]


class Page(HTMLParser):
    """Tags, attributes and text of a page, as a browser would find them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data

    def links(self) -> list[str]:
        return [value or "" for name, value in self.attributes if name == "href"]


def page(api: Any, path: str, status: int = 200, **parameters: Any) -> Page:
    response = api.session.get(
        api.arthur.url + path,
        params=parameters,
        headers={"Authorization": None},
        auth=("any", api.arthur.api_key),
        timeout=PATIENCE,
    )
    assert response.status_code == status
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    found = Page(response.text)
    assert "for development and tests" in found.text
    return found


def test_an_empty_list(api: Any) -> None:
    assert "Nothing has arrived" in page(api, "/").text


def test_the_list_and_one_inference(api: Any, model_id: str, new_row: Any) -> None:
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
    listed = page(api, "/")
    assert "2 inferences" in listed.text
    newer, older = [link for link in listed.links() if link.startswith("/inferences/")]
    assert listed.text.index("13:00:00.000") < listed.text.index("12:00:00.250")
    whole = page(api, newer)
    expected = [
        "newer",
        "monday",
        "Support bot",
        "Human: hi",
        "Hello",
        "0.42",
        "true",
        "Hel",
        "0.99",
        "null",
        "Hello!",
    ]
    assert [words for words in expected if words not in whole.text] == []
    assert "None has arrived" in page(api, older).text
    assert "None has arrived" not in whole.text


def test_search_and_pages(api: Any, model_id: str, new_row: Any) -> None:
    other = api.onboard("other")
    api.send(model_id, [new_row(f"row-{number}", finish_reason="Straße & Co") for number in range(60)])
    api.send(other, [new_row("other-1")])
    first = page(api, "/", search="STRASSE &", model=model_id)
    assert "60 inferences" in first.text
    assert "page 1 of 2" in first.text
    [older] = [link for link in first.links() if "page=2" in link]
    second = page(api, older)
    assert "page 2 of 2" in second.text
    shown = [link for one in (first, second) for link in one.links() if link.startswith("/inferences/")]
    assert len(set(shown)) == 60
    assert "1 inference" in page(api, "/", model=other).text
    assert "Nothing matches" in page(api, "/", search="absent").text
    odd: dict[str, Any]
    for odd in ({"page": "-1"}, {"page": "x"}, {"page": "9" * 9}, {"page": "9" * 30}, {"model": "nope"}):
        page(api, "/", **odd)


def test_unknown_inferences(api: Any) -> None:
    for number in (7, 2**63, 10**40):
        assert f"No inference {number}" in page(api, f"/inferences/{number}", 404).text


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
    assert [one["status"] for one in api.send(model_id, [hostile_row, harmless_row])] == [200, 200]

    bad, good = page(api, "/inferences/1"), page(api, "/inferences/2")
    assert bad.tags == good.tags
    assert [name for name, _ in bad.attributes] == [name for name, _ in good.attributes]
    for found in (bad, page(api, "/", search=hostile)):
        assert not {"script", "img", "svg", "iframe", "style"} & set(found.tags)
        assert not [name for name, _ in found.attributes if name.startswith("on") or name == "style"]
        assert [link for link in found.links() if not link.startswith("/")] == []
    visible = hostile.replace("\x00", "")
    assert visible in bad.text.replace("\x00", "").replace("\ufffd", "")


def test_a_repeated_id_is_marked(client_of: Any, new_row: Any) -> None:
    from otel_arthur.local import LocalArthur

    with LocalArthur(accept_duplicates=True) as arthur:
        api = client_of(arthur)
        api.send(api.onboard(), [new_row("a"), new_row("a")])
        assert "repeated id" in page(api, "/").text
        assert "presentation 2" in page(api, "/inferences/2").text
        assert "presentation" not in page(api, "/inferences/1").text


def test_pages_cannot_be_written_to(api: Any) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert api.session.request(method, api.arthur.url + "/", timeout=PATIENCE).status_code == 405
    for path in ("/static/../server.py", "/static/%2e%2e/server.py", "/static/", "/templates/page.html"):
        assert api.session.get(api.arthur.url + path, timeout=PATIENCE).status_code == 404
