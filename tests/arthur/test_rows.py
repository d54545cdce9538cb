"""The 207: each row's own word, and answers that leave rows in doubt."""

from __future__ import annotations

import pytest

from otel_arthur.arthur import errors as e
from otel_arthur.arthur.client import ArthurClient
from otel_arthur.arthur.rows import Outcome
from tests.arthur.safety import assert_safe, row
from tests.support.servers.fault_behaviours import accepted_answer, answer, reply, row_statuses, status
from tests.support.servers.fault_server import FaultServer


def test_rows_are_told_apart(server: FaultServer, client: ArthurClient) -> None:
    words = (400, "Inference a ALREADY EXISTS"), (400, "attribute does not exist"), (409, "")
    server.script(row_statuses(200, 201, *words, 422, 404, 408, 425, 429, 500, 503))
    results = client.send_inferences("m", [row(str(i)) for i in range(12)])
    accepted, exists, refused, again = (
        Outcome.ACCEPTED,
        Outcome.ALREADY_EXISTS,
        Outcome.REFUSED,
        Outcome.RETRYABLE,
    )
    expected = [
        accepted,
        accepted,
        exists,
        refused,
        exists,
        refused,
        refused,
        again,
        again,
        again,
        again,
        again,
    ]
    assert [r.outcome for r in results] == expected
    assert [r.delivered for r in results] == [o in (accepted, exists) for o in expected]
    assert "does not exist" in results[3].message
    assert "does not exist" not in repr(results)


def test_an_answer_of_200_is_read_like_a_207(server: FaultServer, client: ArthurClient) -> None:
    server.script(reply(accepted_answer, 200))
    assert client.send_inferences("m", [row("a")])[0].outcome is Outcome.ACCEPTED


def test_counts_stand_in_for_missing_rows(server: FaultServer, client: ArthurClient) -> None:
    def counts_only(rows: object) -> object:
        return {**accepted_answer(rows), "results": []}  # type: ignore[arg-type]

    server.script(reply(counts_only))
    assert [r.outcome for r in client.send_inferences("m", [row("a"), row("b")])] == [Outcome.ACCEPTED] * 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"counts": None, "results": None},
        {"results": [{"status": 200}]},
        {"results": [{"status": 200}] * 3},
        {"results": [{"status": 200}, {}]},
        {"results": [{"status": True}, {"status": "ok"}]},
        {"results": [{"status": 200}, {"status": 200.0}]},
        {"results": [{"status": 1}, {"status": True}]},
        {"counts": {"success": 1, "failure": 1, "total": 2}, "results": []},
        {"counts": {"success": 3, "failure": 0, "total": 3}, "results": []},
        {"counts": {"success": 1, "failure": 1, "total": 2}, "results": [{"status": 200}] * 2},
        {"counts": {"success": 2, "failure": 0, "total": 2}, "results": [{"status": 200}, {"status": 400}]},
        {"counts": {"success": 2, "failure": 0, "total": 2}, "results": [{"status": 400}]},
        {"counts": {"success": 3, "failure": 0, "total": 3}, "results": [{"status": 200}] * 2},
    ],
)
def test_answers_that_leave_rows_in_doubt(server: FaultServer, client: ArthurClient, body: object) -> None:
    server.script(reply(lambda _rows: body))
    with pytest.raises(e.InDoubt) as caught:
        client.send_inferences("m", [row("a"), row("b")])
    assert caught.value.retryable
    assert_safe(caught.value)


def test_an_empty_answer_leaves_rows_in_doubt(server: FaultServer, client: ArthurClient) -> None:
    server.script(answer(204, b""))
    with pytest.raises(e.InDoubt):
        client.send_inferences("m", [row("a")])


def test_a_conflict_is_a_success_for_a_single_row_only(server: FaultServer, client: ArthurClient) -> None:
    server.always(status(400, body={"error": "duplicate partner_inference_id"}))
    assert client.send_inferences("m", [row("a")])[0].outcome is Outcome.ALREADY_EXISTS
    with pytest.raises(e.Refused):
        client.send_inferences("m", [row("a"), row("b")])
