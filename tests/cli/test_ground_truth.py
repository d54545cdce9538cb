"""``otel-arthur ground-truth``: files as people have them, and what is said of what cannot be sent."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from otel_arthur.arthur.authentication import Authentication
from otel_arthur.arthur.client import V3, ArthurClient
from otel_arthur.arthur.models import Attribute
from otel_arthur.arthur.onboarding import model_request
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from otel_arthur.http.transport import Transport
from otel_arthur.local.server import LocalArthur
from tests.support.waiting import PATIENCE

Run = Callable[..., "subprocess.CompletedProcess[str]"]
TYPES = {"expected_text": "UNSTRUCTURED_TEXT", "score": "FLOAT", "stars": "INTEGER", "good": "BOOLEAN"}
IDS = ("one", "two", "three")


@pytest.fixture
def model_id(arthur: LocalArthur) -> str:
    """A model with ground truth of several types, and inferences that wait for it."""
    request = model_request("bot", {})
    request["attributes"] += [
        Attribute(name, kind, "GROUND_TRUTH", position).to_json()
        for position, (name, kind) in enumerate(TYPES.items())
    ]
    client = ArthurClient(Transport(arthur.url, V3), Authentication(api_key=arthur.api_key))
    try:
        made = client.create_model(request)
        rows = [
            {
                "partner_inference_id": name,
                "inference_timestamp": "2026-11-22T12:00:00+00:00",
                "inference_data": {"input_text": "Hi", "output_text": "Hello"},
            }
            for name in IDS
        ]
        assert all(result.delivered for result in client.send_inferences(made.id, rows))
    finally:
        client.close()
    return made.id


@pytest.fixture
def settings(arthur: LocalArthur, model_id: str, tmp_path: Path) -> dict[str, str]:
    values = {
        "ENDPOINT": arthur.url,
        "API_KEY": arthur.api_key,
        "MODEL_ID": model_id,
        "SPOOL_DIR": str(tmp_path / "spool"),
    }
    return {f"OTEL_EXPORTER_ARTHUR_{name}": value for name, value in values.items()}


@pytest.fixture
def run(settings: dict[str, str]) -> Run:
    def run(file: str | Path, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "otel_arthur", "ground-truth", str(file), *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=settings,
            **more,
        )

    return run


def truths(arthur: LocalArthur, model_id: str) -> dict[str, Mapping[str, Any] | None]:
    return {
        one.partner_inference_id: one.ground_truth_data
        for one in arthur.store.inferences(model_id).inferences
    }


def test_csv_of_a_spreadsheet(arthur: LocalArthur, model_id: str, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "truth.csv"
    file.write_bytes(
        b"\xef\xbb\xbf"
        + "partner_inference_id;expected_text;score;stars;good\r\n"
        "one;42;3,5;4;WAHR\r\ntwo;true;1e5;;TRUE\r\n"
        'three;"1e5; ""so""";;;\r\n;;;;\r\n'.replace("WAHR", "FALSE").encode()
    )
    done = run(file)
    assert done.returncode == 0, done.stderr
    assert truths(arthur, model_id) == {
        "one": {"expected_text": "42", "score": 3.5, "stars": 4, "good": False},
        "two": {"expected_text": "true", "score": 1e5, "good": True},
        "three": {"expected_text": '1e5; "so"'},
    }
    assert done.stdout == "3 rows of ground truth read: 3 sent, 0 known before, 0 refused, 0 waiting\n"
    assert done.stderr == f"Note: {file}: 1 empty line left out\n"


def test_standard_input_may_be_csv_too(arthur: LocalArthur, model_id: str, run: Run) -> None:
    done = run("-", input="sep=,\npartner_inference_id,expected_text\none,Paris\n")
    assert done.returncode == 0, done.stderr
    assert truths(arthur, model_id)["one"] == {"expected_text": "Paris"}


def test_the_schema_decides_the_type_in_json_too(
    arthur: LocalArthur, model_id: str, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "truth.jsonl"
    file.write_text('{"partner_inference_id": "one", "expected_text": 42, "stars": "5"}\n')
    assert run(file).returncode == 0
    assert truths(arthur, model_id)["one"] == {"expected_text": "42", "stars": 5}
    again = run(file, "--json")
    assert json.loads(again.stdout).keys() == {"read", "sent", "known", "refused", "waiting"}


def test_an_index_and_unknown_columns_are_named_once(
    arthur: LocalArthur, model_id: str, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "truth.csv"
    lines = [f"{number},{name},Paris,nice" for number, name in enumerate(IDS)]
    file.write_text("\n".join([",partner_inference_id,expected_text,comment", *lines]))
    done = run(file)
    assert done.returncode == 2
    assert done.stdout == ""
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == ["Note", "Error"]
    assert "a column without a name" in done.stderr
    assert "no ground truth attribute 'comment' (3 rows); it has expected_text" in done.stderr
    assert set(truths(arthur, model_id).values()) == {None}


def test_all_bad_lines_at_once(arthur: LocalArthur, model_id: str, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "truth.csv"
    file.write_text("partner_inference_id,score,stars\none,high,1\n,1,1\ntwo,1,1.5\nthree,1,1,7\none,1,1\n")
    done = run(file)
    assert done.returncode == 2
    assert [line.partition(", ")[2] for line in done.stderr.splitlines()] == [
        "line 2: score is a text that is no FLOAT",
        "line 3: partner_inference_id is missing; give it, or trace_id and span_id",
        "line 4: stars is a text that is no INTEGER",
        "line 5: more values than the header has names",
    ]
    assert set(truths(arthur, model_id).values()) == {None}


def test_a_cell_without_an_end_is_one_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "truth.csv"
    file.write_bytes(b'partner_inference_id,expected_text\none,"' + 17 * (b"x" * 1024**2 + b"\n"))
    done = run(file)
    assert done.returncode == 2
    assert "field larger than" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("partner_inference_id;expected_text\n".encode("utf-16"), "UTF-16; save it as UTF-8"),
        (b"PK\x03\x04rest", "a zip archive or a workbook"),
        (gzip.compress(b"{}", mtime=0), "compressed with gzip"),
        (b"partner_inference_id,expected_text\none,caf\xe9\n", "line 2: it is not UTF-8"),
        (b"expected_text\nParis\nRome\n", "no column partner_inference_id"),
        (b"partner_inference_id,a,a\none,1,2\n", "the column 'a' twice"),
        (b"partner_inference_id," + b"x" * 200_000 + b"\none,1\n", "line 1, the header: longer than 128 kB"),
        (b'partner_inference_id,expected_text\none,a\ntwo,"b\nthree,c\n', "line 3: unexpected end of data"),
        (b"partner_inference_id,expected_text\rone,a\r", "a carriage return alone"),
        (b"sep=;\npartner_inference_id;score\none;1e400\n", "line 3: score is a text that is no FLOAT"),
        (b"partner_inference_id,stars\none," + b"9" * 20, "line 2: stars is a text that is no INTEGER"),
        (b"<html>Sign in</html>\n", "no column partner_inference_id"),
        (
            b"trace_id,span_id,choice_index,stars\n%s,%s,%s,1\n" % (b"a" * 32, b"b" * 16, b"9" * 5000),
            "choice_index is a text; it must be a whole number of at most 9 digits",
        ),
    ],
)
def test_what_is_no_table_is_one_line(run: Run, tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "truth.csv"
    file.write_bytes(content)
    done = run(file)
    assert done.returncode == 2
    assert said in done.stderr
    assert str(file) in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_ground_truth_of_somebody_else_that_waits_is_not_mine(
    arthur: LocalArthur, model_id: str, run: Run, settings: dict[str, str], tmp_path: Path
) -> None:
    delivery = Delivery(Configuration.from_environment(settings), metrics=False)
    delivery.submit_ground_truth(
        [
            {
                "partner_inference_id": "never sent",
                "ground_truth_timestamp": "2026-11-22T12:00:00+00:00",
                "ground_truth_data": {"expected_text": "x"},
            }
        ]
    )
    delivery.shutdown(2)
    file = tmp_path / "truth.jsonl"
    file.write_text(json.dumps({"partner_inference_id": "one", "expected_text": "Paris"}))
    done = run(file)
    assert done.returncode == 0, done.stderr
    assert "1 sent" in done.stdout
    assert "0 waiting" in done.stdout
    assert truths(arthur, model_id)["one"] == {"expected_text": "Paris"}


def test_what_waits_for_its_inference_says_so(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "truth.jsonl"
    file.write_text(json.dumps({"partner_inference_id": "never sent", "expected_text": "Paris"}))
    done = run(file, "--timeout", "2")
    assert done.returncode == 1
    assert "1 waiting" in done.stdout
    assert "Arthur has no inference for 1 of them so far" in done.stderr
    again = run(file, "--timeout", "2")
    assert again.returncode == 1, "what was known before may wait still"


def test_without_arthur_json_lines_wait_and_csv_is_asked_for_again(
    arthur: LocalArthur, run: Run, tmp_path: Path
) -> None:
    arthur.stop()
    rows = tmp_path / "truth.jsonl"
    rows.write_text(json.dumps({"partner_inference_id": "one", "expected_text": "Paris"}))
    done = run(rows, "--timeout", "1")
    assert done.returncode == 1
    assert "1 waiting" in done.stdout
    table = tmp_path / "truth.csv"
    table.write_text("partner_inference_id,stars\none,5\n")
    done = run(table, "--timeout", "1")
    assert done.returncode == 1
    assert "Arthur cannot be asked for the types" in done.stderr
