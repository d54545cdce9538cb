"""``otel-arthur replay``: each call once, whatever interrupts it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.arthur.onboarding import model_request
from otel_arthur.cli.commands.replay.replay import CHUNK
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from otel_arthur.local.server import LocalArthur
from tests.support.paths import CAPTURES
from tests.support.processes.running import finished
from tests.support.servers.account import onboarded
from tests.support.servers.fault_behaviours import accept, refuse_rows, status
from tests.support.servers.fault_exchange import Exchange
from tests.support.servers.fault_server import FaultServer
from tests.support.waiting import PATIENCE

EVENT_ONLY = CAPTURES / "genai-langchain-1.3b0" / "event_only"
PAIR = CAPTURES / "pair-oi-langchain+oi-openai" / "default"
SECOND = 1_000_000_000
NOON = 1_763_812_800 * SECOND
"""2025-11-22T12:00:00Z"""


@pytest.fixture
def fault() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


def environ(tmp_path: Path, url: str, api_key: str, model_id: str) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_ARTHUR_ENDPOINT": url,
        "OTEL_EXPORTER_ARTHUR_API_KEY": api_key,
        "OTEL_EXPORTER_ARTHUR_MODEL_ID": model_id,
        "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(tmp_path / "replay-spool"),
    }


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "otel_arthur", "replay", *map(str, arguments)]


def replay(settings: dict[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return finished(command(*arguments), env=settings)


def export(folder: Path, count: int, name: str = "traces.pb", words: str = "call") -> tuple[Path, list[str]]:
    """A file of calls, one a second from noon on; returns it and the ids of their inferences."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    ids: list[str] = []
    for number in range(1, count + 1):
        end = NOON + number * SECOND
        span = spans.add(name="chat m", start_time_unix_nano=end - SECOND // 2, end_time_unix_nano=end)
        span.trace_id, span.span_id = number.to_bytes(16, "big"), number.to_bytes(8, "big")
        message = [{"role": "user", "parts": [{"type": "text", "content": f"{words} {number}"}]}]
        for key, value in (
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.input.messages", json.dumps(message)),
            ("gen_ai.output.messages", json.dumps(message)),
        ):
            span.attributes.add(key=key).value.string_value = value
        ids.append(f"{span.trace_id.hex()}-{span.span_id.hex()}-0")
    file = folder / name
    file.write_bytes(request.SerializeToString())
    return file, ids


def ids_in(arthur: LocalArthur, model_id: str) -> list[str]:
    page = arthur.store.inferences(model_id, limit=10_000)
    return sorted(row.partner_inference_id for row in page.inferences)


def test_sends_what_inspect_shows_and_nothing_twice(
    arthur: LocalArthur, model_id: str, tmp_path: Path
) -> None:
    settings = environ(tmp_path, arthur.url, arthur.api_key, model_id)
    files = [file for file in (*EVENT_ONLY.glob("*.pb"), *PAIR.glob("*.pb")) if file.stat().st_size]
    shown = subprocess.run(
        [sys.executable, "-m", "otel_arthur", "inspect", "--format", "json", *map(str, files)],
        env=settings,
        capture_output=True,
        timeout=PATIENCE,
        check=True,
    ).stdout.splitlines()
    spans = [json.loads(line) for line in shown]
    expected = sorted(i["partner_inference_id"] for span in spans for i in span["inferences"])
    assert {span["decision"] for span in spans} == {"inference", "failed", "duplicate", "skipped"}

    dry = replay(settings, *files, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert ids_in(arthur, model_id) == []

    for arguments in ([], [], ["--restart"]):
        done = replay(settings, *files, *arguments)
        assert done.returncode == 0, done.stderr
        assert ids_in(arthur, model_id) == expected
    again = replay({**settings, "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": "off"}, *files)
    assert again.returncode == 0, again.stderr
    assert ids_in(arthur, model_id) == expected, "Arthur knows the ids, with no state of ours at all"


def test_goes_on_with_content_that_was_missing_before(
    arthur: LocalArthur, model_id: str, tmp_path: Path
) -> None:
    settings = environ(tmp_path, arthur.url, arthur.api_key, model_id)
    spans, logs = EVENT_ONLY / "a_invoke.pb", EVENT_ONLY / "a_invoke.logs.pb"
    assert replay(settings, spans).returncode == 0
    assert ids_in(arthur, model_id) == []
    assert replay(settings, spans, logs).returncode == 0
    assert len(ids_in(arthur, model_id)) == 1


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        (["--since", "2025-11-22T12:00:05Z"], slice(4, None)),
        (["--until", "2025-11-22T12:00:05+00:00"], slice(0, 4)),
        (["--since", "2025-11-22T13:00:03+01:00", "--until", "2025-11-22T12:00:06"], slice(2, 5)),
        (["--since", "2025-11-22"], slice(None)),
        (["--until", "2025-11-22"], slice(0, 0)),
    ],
    ids=["since", "until", "offset", "date since", "date until"],
)
def test_a_range_of_time(
    arthur: LocalArthur, model_id: str, tmp_path: Path, arguments: list[str], chosen: slice
) -> None:
    file, ids = export(tmp_path, 10)
    settings = environ(tmp_path, arthur.url, arthur.api_key, model_id)
    assert replay(settings, file, *arguments).returncode == 0
    assert ids_in(arthur, model_id) == ids[chosen]
    assert replay(settings, file).returncode == 0
    assert ids_in(arthur, model_id) == ids


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_goes_on_where_it_stopped(fault: FaultServer, tmp_path: Path, signal_number: int) -> None:
    file, ids = export(tmp_path, 4 * CHUNK)
    settings = environ(tmp_path, fault.url, "key", fault.model["id"])
    has_refused = threading.Event()

    def take_one_chunk(exchange: Exchange) -> None:
        is_full = len(fault.accepted_ids) >= CHUNK
        (status(503) if is_full else accept())(exchange)
        if is_full:
            has_refused.set()

    fault.always(take_one_chunk)
    first = subprocess.Popen(
        command(file), env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert has_refused.wait(PATIENCE)
    first.send_signal(signal_number)
    _, said = first.communicate(timeout=PATIENCE)
    if signal_number == signal.SIGINT:
        assert first.returncode == 130
        (line,) = [line for line in said.splitlines() if line.startswith("Interrupted. ")]
        on, _, waits = line.partition("; ")
        assert on == "Interrupted. Run the same command again to go on with the rest of the files"
        # Of the second chunk alone: the files have two more.
        number, _, where = waits.partition(" inferences wait in ")
        assert (0 < int(number) <= CHUNK, where) == (True, f"{tmp_path / 'replay-spool'}.")
        assert "Traceback" not in said
    before = len(fault.accepted_ids)

    fault.always(None)
    done = replay(settings, file)
    assert done.returncode == 0, done.stderr
    assert set(fault.accepted_ids) == set(ids)
    assert len(fault.accepted_ids) - before <= len(ids) - CHUNK, "what was dealt with is not presented again"


def test_large_calls_leave_in_smaller_requests(fault: FaultServer, tmp_path: Path) -> None:
    file, ids = export(tmp_path, 60, words="word " * 40_000)
    assert replay(environ(tmp_path, fault.url, "key", fault.model["id"]), file).returncode == 0
    assert sorted(fault.accepted_ids) == sorted(ids)
    assert len(fault.sends) > 2, "60 calls of 400 kB are not in memory at once"


def test_a_limit_and_then_the_rest(arthur: LocalArthur, model_id: str, tmp_path: Path) -> None:
    file, ids = export(tmp_path, 10)
    settings = environ(tmp_path, arthur.url, arthur.api_key, model_id)
    for arguments, calls in ((["--limit", "4"], 4), ([], 6), ([], 0)):
        done = replay(settings, file, "--json", *arguments)
        told = json.loads(done.stdout)
        assert (told["calls"], told["accepted"], told["refused"]) == (calls, calls, 0)
    assert ids_in(arthur, model_id) == ids


def test_what_arthur_refuses_is_told(fault: FaultServer, tmp_path: Path) -> None:
    file, ids = export(tmp_path, 5)
    bad = ids[2]
    fault.always(
        refuse_rows(lambda row: (400, "no such value") if row["partner_inference_id"] == bad else None)
    )
    done = replay(environ(tmp_path, fault.url, "key", fault.model["id"]), file)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: Arthur refused 1 inference;")
    assert "dead-letters" in done.stderr
    assert sorted(fault.accepted_ids) == sorted(set(ids) - {bad})


def test_patience_ends(fault: FaultServer, tmp_path: Path) -> None:
    file, ids = export(tmp_path, 3)
    fault.always(status(503))
    settings = environ(tmp_path, fault.url, "key", fault.model["id"])
    done = replay(settings, file, "--patience", "2")
    assert done.returncode == 1
    assert "no progress for 2 seconds. Run the same command again" in done.stderr
    fault.always(None)
    assert replay(settings, file).returncode == 0
    assert sorted(fault.accepted_ids) == ids


def test_wrong_use_is_one_line_and_exit_2(arthur: LocalArthur, model_id: str, tmp_path: Path) -> None:
    file, _ = export(tmp_path, 1)
    good = environ(tmp_path, arthur.url, arthur.api_key, model_id)
    no_key = {**good, "OTEL_EXPORTER_ARTHUR_API_KEY": ""}
    bad_key = {**good, "OTEL_EXPORTER_ARTHUR_API_KEY": "wrong"}
    for settings, arguments, words, code in [
        (no_key, [file], "OTEL_EXPORTER_ARTHUR_API_KEY", 2),
        (good, [tmp_path / "none.pb"], "No such file", 2),
        (good, [file, "--since", "yesterday"], "neither a date", 2),
        (good, [file, "--since", "2025-11-23", "--until", "2025-11-22"], "--since must be before --until", 2),
        (bad_key, [file], "", 1),
    ]:
        done = replay(settings, *arguments)
        assert done.returncode == code, done.stderr
        assert words in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
    assert replay(no_key, file, "--dry-run").returncode == 0
    assert ids_in(arthur, model_id) == []


def test_ground_truth_of_somebody_else_that_waits_is_no_part_of_a_replay(
    arthur: LocalArthur, tmp_path: Path
) -> None:
    """It waits for its inference for 15 minutes; the replay ends before, and says what is left and why."""
    model_id = onboarded(arthur, model_request("bot", ground_truth=True))
    file, ids = export(tmp_path, 3)
    settings = environ(tmp_path, arthur.url, arthur.api_key, model_id)
    delivery = Delivery(Configuration.from_environment(settings), metrics=False)
    when = {"ground_truth_timestamp": "2026-11-22T12:00:00+00:00"}
    truth = {"partner_inference_id": "never sent", "ground_truth_data": {"expected_text": "x"}, **when}
    delivery.submit_ground_truth([truth])
    delivery.shutdown(2)
    done = replay(settings, file)
    assert done.returncode == 0, done.stderr
    assert "3 inferences accepted." in done.stdout
    assert ids_in(arthur, model_id) == ids
    (line,) = done.stderr.splitlines()
    assert "1 ground truth not sent" in line
    assert line.endswith(": Arthur does not take them yet")
