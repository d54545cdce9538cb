"""The list of calls and what is summed up from it: filters, orders, exports, charts, why calls failed."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from tests.local.page import calls_on, page
from tests.support.servers.account import onboarded
from tests.support.waiting import PATIENCE


def test_why_calls_failed_is_said_by_kind_and_message(api: Any) -> None:
    model_id = onboarded(api.arthur)
    says = [f"Error code: 429 - 100% of {n}000 tokens used, try again in {n}ms [req_{n}]" for n in (1, 2, 3)]
    says += ["Error code: 500 - overloaded", None]
    data = {"input_text": "Human: hi", "output_text": "", "status": "error", "error_type": "APIError"}
    failed = [{"inference_data": {**data, "error_message": message}} for message in says]
    api.send(model_id, [*failed, {"inference_data": {**data, "status": "ok", "error_type": None}}])
    overview = page(api, "/")
    assert "100% of 3000 tokens" in overview.text
    found = [link for link in overview.links() if "message=" in link]
    assert [page(api, link).text.count("APIError") - 1 for link in found] == [3, 1, 1]
    assert "again in 2ms" in " ".join(page(api, "/calls").text.split())
    assert "try again in 1ms [req_1]" in page(api, "/calls/1").text
    assert "1 call" in page(api, "/calls", message="OVERLOADED").text
    assert "Nothing matches" in page(api, "/calls", message="100_ of").text


def test_filters_orders_and_pages(api: Any, new_row: Any) -> None:
    model_id = onboarded(api.arthur)
    rows = [
        {
            "partner_inference_id": f"row-{number}",
            "inference_data": {
                "input_text": "Human: hi",
                "output_text": f"Straße & Co {number}",
                "duration": number / 10,
                "user_id": f"u-{number % 3}",
                "prompt_tokens": number,
                "status": "error" if number % 20 == 0 else "ok",
                "model": "a" if number % 2 else "b",
                "choice_index": 1 if number == 59 else 0,
            },
        }
        for number in range(60)
    ]
    api.send(model_id, rows)
    first = page(api, "/calls", search="STRASSE &")
    assert "60 calls" in first.text
    assert "page 1 of 2" in first.text
    [next_page] = [link for link in first.links() if "page=2" in link]
    second = page(api, next_page)
    assert "page 2 of 2" in second.text
    assert len({link.partition("?")[0] for one in (first, second) for link in calls_on(one)}) == 60
    assert "3 calls" in page(api, "/calls?status=error").text
    assert "30 calls" in page(api, "/calls", model="a").text
    assert "10 calls" in page(api, "/calls", user="u-1", model="b").text
    assert "5 calls" in page(api, "/calls", slower="5.5").text
    assert "10 calls" in page(api, "/calls", tokens="50").text
    assert "60 calls" in page(api, "/calls", service="(none)", last="24h").text
    assert "Nothing matches" in page(api, "/calls", until="2020-01-01 00:00").text
    assert "Nothing matches" in page(api, "/calls", search="absent").text
    slow = page(api, "/calls", sort="-duration", model="b")
    assert calls_on(slow)[0].startswith("/calls/59?")
    one = page(api, calls_on(slow)[1])
    before, after = (link for link in one.links() if link.startswith("/calls/"))
    assert [link.partition("?")[0] for link in (before, after)] == ["/calls/59", "/calls/55"]
    assert "59\n" in page(api, "/").text  # a second choice is no call of its own
    for odd in (
        "page=-1",
        "page=x",
        f"page={'9' * 30}",
        "to=nope",
        "sort=nope",
        "slower=x",
        "since=y",
        "last=z",
    ):
        page(api, f"/calls?{odd}")
        page(api, f"/?{odd}")


def test_points_of_the_charts_are_sums_of_their_calls(api: Any) -> None:
    model_id = onboarded(api.arthur)
    at = ["2026-11-22T12:00:00+00:00", "2026-11-22T12:00:01+00:00", "2026-11-22T12:10:00+00:00"]
    data = {"input_text": "x", "output_text": "y", "duration": 2.0, "completion_tokens": 5, "status": "ok"}
    api.send(model_id, [{"inference_timestamp": one, "inference_data": data} for one in at])
    points = api.session.get(
        f"{api.arthur.url}/overview.json", headers={"Authorization": api.arthur.api_key}, timeout=PATIENCE
    ).json()
    assert points["times"][1] - points["times"][0] == points["step"]
    assert (points["calls"][0], points["calls"][-1], sum(points["calls"])) == (2, 1, 3)
    assert (points["out"][0], points["p95"][0], points["p95"][1]) == (10, 2.0, None)


def test_exports_hold_what_the_list_shows(api: Any) -> None:
    model_id = onboarded(api.arthur)
    rows = [
        {"inference_data": {"input_text": "=1+1", "output_text": f"a,{n}", "user_id": f"u{n % 2}"}}
        for n in range(9)
    ]
    api.send(model_id, rows)

    def download(name: str) -> str:
        address, key = f"{api.arthur.url}/calls.{name}?user=u1", {"Authorization": api.arthur.api_key}
        response = api.session.get(address, headers=key, timeout=PATIENCE)
        assert response.headers["Content-Disposition"] == f'attachment; filename="calls.{name}"'
        return response.text

    table = list(csv.DictReader(io.StringIO(download("csv"))))
    assert [row["output"] for row in table] == ["a,1", "a,3", "a,5", "a,7"]
    assert {row["input"] for row in table} == {"'=1+1"}  # which no spreadsheet computes
    lines = [json.loads(line) for line in download("jsonl").splitlines()]
    assert [line["inference_data"]["output_text"] for line in lines] == ["a,1", "a,3", "a,5", "a,7"]
    assert {line["inference_data"]["input_text"] for line in lines} == {"=1+1"}
