"""What a person's terminal shows is text: nothing from outside moves the cursor, hides or forges a line."""

from __future__ import annotations

import ast
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

import otel_arthur.cli
from otel_arthur.cli import cli
from otel_arthur.printable import printable, printable_json
from tests.support.processes.terminal import shown_in_terminal
from tests.support.servers.fault_behaviours import refuse_rows
from tests.support.servers.fault_server import FaultServer
from tests.support.servers.providers.openai_server import OpenAIServer
from tests.support.waiting import PATIENCE

EVIL = "\x1b[2J\x1b]52;c;ZXZpbA==\x07\x9b31m\u202egpj\u2066\u200f\nERROR forged\r\x7fend"
FORBIDDEN = {*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), *"\u202e\u2066\u200f"} - {"\n"}

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


def attribute(key: str, text: str) -> dict[str, object]:
    return {"key": key, "value": {"stringValue": text}}


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """One call to a model, with the hostile text in each place that somebody outside fills."""
    messages = [{"role": "user", "parts": [{"type": "text", "content": EVIL}]}]
    answer = [{"role": "assistant", "parts": [{"type": "text", "content": EVIL}], "finish_reason": "stop"}]
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": EVIL,
        "gen_ai.request.model": EVIL,
        "gen_ai.conversation.id": EVIL,
        "gen_ai.input.messages": json.dumps(messages),
        "gen_ai.output.messages": json.dumps(answer),
    }
    span = {
        "traceId": "a" * 32,
        "name": EVIL,
        "startTimeUnixNano": "1790000000000000000",
        "endTimeUnixNano": "1790000001000000000",
    }
    call = {
        **span,
        "spanId": "b" * 16,
        "attributes": [attribute(*item) for item in attributes.items()],
    }
    failed = {**call, "spanId": "c" * 16, "status": {"code": 2}}
    failed["attributes"] = [*call["attributes"], attribute("error.type", EVIL)]
    plain = {**span, "spanId": "d" * 16, "attributes": [attribute("gen_ai.operation.name", EVIL)]}
    document = {
        "resourceSpans": [
            {
                "resource": {"attributes": [attribute("service.name", EVIL)]},
                "scopeSpans": [{"scope": {"name": EVIL}, "spans": [call, failed, plain]}],
            }
        ]
    }
    file = tmp_path / "trace.json"
    file.write_text(json.dumps(document))
    return file


@pytest.fixture
def arthur() -> Iterator[FaultServer]:
    """An Arthur whose every word is hostile."""
    with FaultServer() as server:
        server.model = {**server.model, "partner_model_id": EVIL, "display_name": EVIL}
        server.always(refuse_rows(lambda _row: (400, EVIL)))
        yield server


@pytest.fixture
def run(arthur: FaultServer, tmp_path: Path) -> Run:
    environ = {
        "OTEL_EXPORTER_ARTHUR_ENDPOINT": arthur.url,
        "OTEL_EXPORTER_ARTHUR_API_KEY": "key",
        "OTEL_EXPORTER_ARTHUR_MODEL_ID": "m",
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(tmp_path / "spool"),
    }
    engine = {
        "OTEL_EXPORTER_ARTHUR_ENGINE_ENDPOINT": arthur.url,
        "OTEL_EXPORTER_ARTHUR_ENGINE_API_KEY": "key",
    }

    def run(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "otel_arthur", *map(str, arguments)],
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            env=environ | (engine if arguments[0] == "feedback" else {}) | more,
        )

    return run


def assert_harmless(*outputs: bytes) -> None:
    for output in outputs:
        text = output.decode()
        assert not FORBIDDEN.intersection(text), text
        assert not any(line.startswith("ERROR forged") for line in text.splitlines()), text


def leaves(command: click.Command, *path: str) -> Iterator[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        yield path
        return
    if path and command.invoke_without_command:
        yield path
    for name in command.list_commands(click.Context(command)):
        part = command.get_command(click.Context(command), name)
        assert part is not None
        yield from leaves(part, *path, name)


def yaml(tmp_path: Path) -> Path:
    file = tmp_path / "collector.yaml"
    file.write_text(f"receivers: {json.dumps(EVIL)}\n{json.dumps(EVIL)}: 1\n")
    return file


def dead_letters(run: Run, trace: Path) -> None:
    done = run("replay", trace)
    assert done.returncode == 1, done.stderr
    assert_harmless(done.stdout, done.stderr)


def ground_truth(tmp_path: Path) -> Path:
    file = tmp_path / "truth.jsonl"
    file.write_text(json.dumps({EVIL: EVIL, "partner_inference_id": 7}) + "\n")
    return file


def feedback(folder: Path) -> Path:
    file = folder / "feedback.jsonl"
    file.write_text(json.dumps({EVIL: EVIL, "trace_id": 7}) + "\n")
    return file


def one_of(*arguments: str | Path) -> Callable[[Run, Path, Path], list[tuple[str | Path, ...]]]:
    return lambda _run, _trace, _folder: [arguments]


CASES: dict[tuple[str, ...], Callable[[Run, Path, Path], list[tuple[str | Path, ...]]]] = {
    ("inspect",): lambda run, trace, folder: [
        ("inspect", trace),
        ("inspect", "--all", trace),
        ("inspect", "--format", "json", trace),
        ("inspect", "--model", EVIL, trace),
        ("inspect", folder / EVIL),
        ("inspect", f"--{EVIL}"),
    ],
    ("replay",): lambda run, trace, folder: [
        ("replay", trace),
        ("replay", trace, "--dry-run"),
        ("replay", folder / EVIL),
    ],
    ("check",): one_of("check", "--send"),
    ("models",): lambda run, trace, folder: [("models",), ("models", "--json")],
    ("onboard",): one_of("onboard", EVIL, "--fields", EVIL),
    ("ground-truth",): lambda run, trace, folder: [
        ("ground-truth", ground_truth(folder)),
        ("ground-truth", folder / EVIL),
    ],
    ("feedback",): lambda run, trace, folder: [
        ("feedback", feedback(folder)),
        ("feedback", folder / EVIL),
    ],
    ("spool", "status"): lambda run, trace, folder: [
        ("spool", "status"),
        ("spool", "status", "--json"),
        ("spool", "status", "--dir", folder / EVIL),
    ],
    ("spool", "drain"): lambda run, trace, folder: [
        ("spool", "drain", "--adopt", EVIL, "--timeout", "5"),
        ("spool", "drain", "--dir", folder / EVIL),
    ],
    ("spool", "discard"): one_of("spool", "discard", "--model", EVIL, "--dir", EVIL),
    ("spool", "dead-letters", "list"): lambda run, trace, folder: [
        ("spool", "dead-letters", "list"),
        ("spool", "dead-letters", "list", "--json"),
    ],
    ("spool", "dead-letters", "export"): one_of("spool", "dead-letters", "export"),
    ("spool", "dead-letters", "resend"): one_of("spool", "dead-letters", "resend", EVIL),
    ("collector",): lambda run, trace, folder: [("collector", "--config", yaml(folder))],
    ("collector", "validate"): lambda run, trace, folder: [
        ("collector", "validate", "--config", yaml(folder))
    ],
    ("core",): lambda run, trace, folder: [
        ("core", "--config", yaml(folder), "--listen", "unix:///tmp/never"),
        ("core", "--config", yaml(folder), "--listen", EVIL),
    ],
    ("local",): lambda run, trace, folder: [("local", "--db", folder / EVIL / EVIL)],
    ("demo",): one_of("demo", "--openai"),
}


def test_every_command_is_here() -> None:
    assert sorted(CASES) == sorted(leaves(cli))


@pytest.mark.parametrize("path", CASES, ids=" ".join)
def test_no_command_prints_a_control_character(
    path: tuple[str, ...], run: Run, trace: Path, tmp_path: Path
) -> None:
    if path[0] == "spool":
        dead_letters(run, trace)
    if path == ("demo",):
        pytest.importorskip("langchain_openai")
    with OpenAIServer() as service:
        openai = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": service.base_url, "MODEL": "evil\x1b[2J\u202e"}
        shown = b""
        for arguments in CASES[path](run, trace, tmp_path):
            done = run(*arguments, **openai)
            shown += done.stdout + done.stderr
            assert_harmless(done.stdout, done.stderr)
            assert b"Traceback" not in done.stderr
    assert b"x1b" in shown or b"u001b" in shown, "the hostile text is not even shown"


def test_the_table_in_a_terminal_has_no_escapes_but_its_colours(trace: Path) -> None:
    command = [sys.executable, "-m", "otel_arthur", "inspect", "--all", str(trace)]
    text = shown_in_terminal(command, columns=100)
    assert "\\x1b]52;c;" in text
    assert_harmless(text.encode())


def test_json_escapes_what_json_need_not(run: Run, trace: Path) -> None:
    done = run("inspect", "--format", "json", trace)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(record["name"] == EVIL for record in records)
    assert records[0]["inferences"][0]["inference_data"]["output_text"] == EVIL


def test_only_the_output_module_prints() -> None:
    """What goes past `output` would go past its care."""
    folder = Path(otel_arthur.cli.__file__).parent
    for file in folder.rglob("*.py"):
        names = {
            ast.unparse(node)
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.Attribute | ast.Name)
        }
        if file.name not in ("output.py", "screen.py"):
            assert not names & {"click.echo", "click.secho", "print", "sys.stdout.write", "Console"}, file


def test_a_log_line_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("otel_arthur").warning("otel-arthur: %s said %s", "Arthur", EVIL)
    assert caplog.messages == [f"otel-arthur: Arthur said {printable(EVIL)}"]


def test_a_logged_error_keeps_its_lines_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError(EVIL)
    except ValueError:
        logging.getLogger("otel_arthur").warning("otel-arthur: details", exc_info=True)
    assert "ValueError" in caplog.text
    assert not FORBIDDEN.intersection(caplog.text)


def test_printable_changes_nothing_that_is_harmless() -> None:
    text = "Zürich, 東京, 👩‍👧, C:\\x1b, a b"
    assert printable(text) == text
    assert printable_json(json.dumps(text, ensure_ascii=False).encode()).decode() == json.dumps(
        text, ensure_ascii=False
    )
