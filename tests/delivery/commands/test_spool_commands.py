"""`otel-arthur spool`, as a person or a program uses it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import Result

from otel_arthur.delivery import Delivery
from otel_arthur.genai.call import LLMCall
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.spool import Spool
from tests.support.processes.terminal import shown_in_terminal
from tests.support.processes.threads import wait_for_senders
from tests.support.servers.fault_behaviours import refuse_rows
from tests.support.servers.fault_server import MODEL_ID, FaultServer
from tests.support.spans.llm_calls import ids_of, llm_calls


def lines(result: Result) -> list[Any]:
    assert result.exit_code == 0, result.output
    return [orjson.loads(line) for line in result.stdout.splitlines()]


def test_without_a_spool_there_is_one_clear_line(invoke: Callable[..., Result], spool_dir: Path) -> None:
    result = invoke("status")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: there is no spool in")
    assert len(result.stderr.splitlines()) == 1
    assert not spool_dir.exists()


def test_status_drain_and_dead_letters(
    server: FaultServer, deliver: Callable[..., Delivery], invoke: Callable[..., Result], tmp_path: Path
) -> None:
    server.stop()
    delivery = deliver()
    calls = llm_calls(6)
    delivery.submit(calls)
    delivery.shutdown(2)

    (status,) = lines(invoke("status", "--json"))
    assert status["waiting"] == 6
    assert "127.0.0.1" in status["destinations"][0]["last_error"]
    assert "last error" in invoke("status").stdout

    result = invoke("drain", "--timeout", "1")
    assert result.exit_code == 1
    assert "6 records were not sent" in result.stderr

    server.start()
    poison = ids_of(calls)[2]
    server.always(
        refuse_rows(lambda row: (400, "[bad] row") if row["partner_inference_id"] == poison else None)
    )
    (drained,) = lines(invoke("drain", "--json"))
    counts = {"sent": 5, "dead_letters": 1, "duplicates": 0, "left": 0}
    assert drained == {**counts, "adopted": 0, "elsewhere": []}

    (letter,) = lines(invoke("dead-letters", "list", "--json"))
    assert (letter["partner_inference_id"], letter["reason"]) == (poison, "400 [bad] row")
    assert "[bad] row" in invoke("dead-letters", "list", env={"COLUMNS": "250"}).stdout
    (exported,) = lines(invoke("dead-letters", "export"))
    assert exported["row"]["partner_inference_id"] == poison

    assert invoke("dead-letters", "resend").exit_code == 2
    assert invoke("dead-letters", "resend", "no-such-id").exit_code == 1
    server.always(None)
    assert invoke("dead-letters", "resend", poison).exit_code == 0
    assert lines(invoke("drain", "--json"))[0]["sent"] == 1
    assert sorted(server.accepted_ids) == sorted(ids_of(calls))
    assert not lines(invoke("dead-letters", "list", "--json"))


def spooled(delivery: Delivery, calls: Sequence[LLMCall], truths: Sequence[Mapping[str, Any]] = ()) -> None:
    """What a process left that ended before it could send."""
    delivery.submit(calls)
    delivery.submit_ground_truth(truths)
    delivery.shutdown(0.2)
    wait_for_senders()


def truth_of(inference_id: str) -> dict[str, Any]:
    return {
        "partner_inference_id": inference_id,
        "ground_truth_timestamp": "2026-11-22T12:00:00+00:00",
        "ground_truth_data": {"expected_text": "Paris"},
    }


OTHER = "44444444-4444-4444-4444-444444444444"


@pytest.mark.parametrize(
    "wrong",
    [
        {"api_key": "wrong", "organization_id": None},
        {"organization_id": "wrong"},
        {"api_key": None, "organization_id": None},
        {"model_id": None},
    ],
    ids=["key", "organization", "no key", "no model"],
)
def test_what_waits_under_what_was_wrong_is_sent_once_it_is_corrected(
    server: FaultServer,
    deliver: Callable[..., Delivery],
    invoke: Callable[..., Result],
    wrong: dict[str, str | None],
) -> None:
    server.stop()
    calls = llm_calls(3)
    spooled(deliver(**wrong), calls)
    server.start()
    (drained,) = lines(invoke("drain", "--json"))

    assert (drained["sent"], drained["left"], drained["elsewhere"]) == (3, 0, [])
    assert sorted(server.accepted_ids) == sorted(ids_of(calls))
    assert lines(invoke("drain", "--json"))[0]["sent"] == 0


@pytest.mark.parametrize(
    ("wrong", "model"),
    [({"model_id": OTHER}, OTHER), ({"endpoint": "http://127.0.0.1:9"}, MODEL_ID)],
    ids=["model", "endpoint"],
)
def test_what_waits_for_others_is_told_and_taken_over_where_a_person_says_so(
    server: FaultServer,
    deliver: Callable[..., Delivery],
    invoke: Callable[..., Result],
    wrong: dict[str, str],
    model: str,
) -> None:
    server.stop()
    calls = llm_calls(3)
    spooled(deliver(**wrong), calls, [truth_of(ids_of(calls)[0])])
    server.start()

    result = invoke("drain", "--json")
    assert result.exit_code == 1
    told = {"model": model, "endpoint": wrong.get("endpoint", server.url), "records": 4}
    assert orjson.loads(result.stdout)["elsewhere"] == [told]
    assert f"4 records for model {model} at" in result.stderr
    assert "--adopt" in result.stderr.splitlines()[-1]
    assert not server.accepted_ids

    assert invoke("drain", "--adopt", model).exit_code == 0
    assert sorted(set(server.accepted_ids)) == sorted(ids_of(calls))
    assert invoke("drain").exit_code == 0
    # Where it was taken from has nothing to tell any more.
    (name,) = {*told.values()} - {server.url, MODEL_ID, 4}
    assert str(name) not in invoke("status", env={"COLUMNS": "250"}).stdout


def test_what_no_route_takes_is_told(
    deliver: Callable[..., Delivery], invoke: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_ARTHUR_MODEL_ID")
    monkeypatch.setenv("OTEL_EXPORTER_ARTHUR_MODELS", f"nothing-like-this={MODEL_ID}")
    spooled(deliver(model_id=None), llm_calls(2))
    result = invoke("drain")

    assert result.exit_code == 1
    assert "0 left" in result.stdout
    assert "2 records for no model: no route of OTEL_EXPORTER_ARTHUR_MODELS takes them" in result.stderr


@pytest.mark.parametrize(
    ("variable", "value", "arguments"),
    [
        ("ENDPOINT", "zz", ("drain",)),
        ("ENDPOINT", "http://user:s3cret@127.0.0.1:9", ("drain",)),
        ("MODELS", "zz", ("drain",)),
        ("SPOOL_MAX_MB", "zz", ("status",)),
    ],
)
def test_a_bad_variable_is_not_passed_over(
    invoke: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.setenv(f"OTEL_EXPORTER_ARTHUR_{variable}", value)
    result = invoke(*arguments)

    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert f"OTEL_EXPORTER_ARTHUR_{variable}: " in line
    assert "s3cret" not in result.output


@pytest.mark.parametrize("option", ["--timeout=nan", "--timeout=-5", "--timeout=inf", "--dir=", "--adopt="])
def test_an_option_that_means_nothing_is_refused(invoke: Callable[..., Result], option: str) -> None:
    assert invoke("drain", option).exit_code == 2


def test_ids_can_be_copied_from_a_narrow_terminal(
    server: FaultServer, deliver: Callable[..., Delivery], invoke: Callable[..., Result]
) -> None:
    server.always(refuse_rows(lambda row: (400, "bad")))
    calls = llm_calls(1)
    delivery = deliver()
    delivery.submit(calls)
    delivery.flush(10)
    delivery.shutdown(1)

    for arguments, text in ((("dead-letters", "list"), ids_of(calls)[0]), (("status",), MODEL_ID)):
        assert text in invoke(*arguments, env={"COLUMNS": "80"}).stdout.split(), "a pipe has no width"
        command = [sys.executable, "-m", "otel_arthur", "spool", *arguments]
        assert text in shown_in_terminal(command).split(), "an id has a line of its own"


def test_what_cannot_be_read_holds_nothing_else_up_and_is_told(
    server: FaultServer, deliver: Callable[..., Delivery], invoke: Callable[..., Result], spool_dir: Path
) -> None:
    server.stop()
    wrong = deliver(api_key="wrong", organization_id=None)
    for count in (512, 5):
        wrong.submit(calls := llm_calls(count))
    wrong.shutdown(0.2)
    (body,) = (spool_dir / "bodies").iterdir()
    body.unlink()
    body.mkdir()
    server.start()
    result = invoke("drain")
    assert result.exit_code == 1
    assert sorted(server.accepted_ids) == sorted(ids_of(calls))
    assert "512 records left" in result.stderr
    assert "cannot be read now (Is a directory)" in result.stderr.splitlines()[-1]


def test_what_another_process_sends_is_told(
    server: FaultServer, deliver: Callable[..., Delivery], invoke: Callable[..., Result], spool_dir: Path
) -> None:
    server.stop()
    spooled(deliver(), llm_calls(3))
    server.start()
    with contextlib.closing(Spool(spool_dir, 1 << 30)) as other:
        (one,) = other.status().destinations
        assert other.lease(one.destination.number, min(one.kinds), Terms(seconds=3600.0))
        result = invoke("drain", "--timeout", "1")
    assert result.exit_code == 1
    assert "3 records were not sent within 1 s; other processes are sending them" in result.stderr


def test_drain_without_credentials_says_what_to_set(
    invoke: Callable[..., Result], deliver: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_ARTHUR_API_KEY")
    result = invoke("drain")
    assert result.exit_code == 2
    assert "OTEL_EXPORTER_ARTHUR_API_KEY" in result.stderr


def test_what_waits_is_discarded_where_that_is_meant(
    server: FaultServer, deliver: Callable[..., Delivery], invoke: Callable[..., Result]
) -> None:
    server.always(
        refuse_rows(lambda row: (400, "bad") if row["partner_inference_id"] == ids[0] else (503, ""))
    )
    calls = llm_calls(3)
    ids = ids_of(calls)
    delivery = deliver()
    delivery.submit(calls)
    delivery.flush(2)
    delivery.shutdown(1)
    assert (status := lines(invoke("status", "--json"))[0])["waiting"] == 2, status

    unasked = invoke("discard", "--all")
    assert unasked.exit_code == 2
    assert "2 inferences would be deleted for good; --yes" in unasked.stderr
    assert invoke("discard").exit_code == 2
    assert "0 inferences discarded" in invoke("discard", "--model", "other", "--yes").stdout
    assert lines(invoke("discard", "--model", MODEL_ID, "--yes", "--json")) == [{"discarded": 2}]
    assert "1 dead letter discarded" in invoke("discard", "--all", "--dead-letters", "--yes").stdout
    (status,) = lines(invoke("status", "--json"))
    assert status["waiting"] == 0
    assert status["destinations"][0]["dead_letters"] == 0
    assert status["destinations"][0]["outcomes"]["inference"]["dropped: discarded by command"] == 2


def test_what_became_of_ground_truth_is_said_too(
    server: FaultServer, deliver: Callable[..., Delivery], invoke: Callable[..., Result]
) -> None:
    server.stop()
    delivery = deliver()
    delivery.submit_ground_truth([{"partner_inference_id": "one", "ground_truth_data": {"expected": "A"}}])
    delivery.shutdown(0)
    assert "1 ground truth discarded" in invoke("discard", "--all", "--yes").stdout
    assert "1 ground truth dropped: discarded by command" in invoke("status").stdout
