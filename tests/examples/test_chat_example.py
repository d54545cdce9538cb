"""`examples/chat.py` as its user meets it: at the keyboard, against a real server."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.paths import ROOT
from tests.support.processes.running import finished
from tests.support.servers.fault_exchange import Exchange
from tests.support.servers.fault_server import FaultServer
from tests.support.servers.providers.openai_server import OpenAIServer
from tests.support.waiting import PATIENCE

EXAMPLES = ROOT / "examples"
CHAT = [sys.executable, str(EXAMPLES / "chat.py")]


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as running:
        yield running


@pytest.fixture
def environ(server: OpenAIServer) -> dict[str, str]:
    return {**os.environ, "OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "test"}


def chat(environ: dict[str, str], typed: str) -> subprocess.CompletedProcess[str]:
    return finished(CHAT, env=environ, input=typed)


@pytest.mark.parametrize("end", ["q\n", ""], ids=["q", "end of input"])
def test_the_history_grows_until_the_end(server: OpenAIServer, environ: dict[str, str], end: str) -> None:
    done = chat(environ, f"ECHO one\n\nECHO two\n{end}")
    assert (done.returncode, done.stderr) == (0, "")
    assert "one" in done.stdout
    assert "two" in done.stdout
    assert all(call.streamed for call in server.calls)
    first, second = (call.request["messages"] for call in server.calls)
    assert second[: len(first)] == first
    assert [message["content"] for message in second] == [
        first[0]["content"],
        "ECHO one",
        "one",
        "ECHO two",
    ]


def test_a_failed_call_is_one_line_and_not_in_the_history(
    server: OpenAIServer, environ: dict[str, str]
) -> None:
    done = chat(environ, "ERR401\nECHO after\nquit\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert "error: " in done.stdout
    assert [message["content"] for message in server.calls[-1].request["messages"]][1:] == ["ECHO after"]


def test_without_a_key_it_says_so(environ: dict[str, str]) -> None:
    del environ["OPENAI_API_KEY"]
    done = chat(environ, "q\n")
    assert done.returncode == 1
    assert "OPENAI_API_KEY" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_leaves_cleanly(environ: dict[str, str]) -> None:
    with subprocess.Popen(
        CHAT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Ask anything")
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert stderr == ""


@pytest.mark.parametrize("name", ["chat.py", "support_chat.py"])
def test_examples_import_nothing_of_ours(name: str) -> None:
    imported = {
        alias.name if isinstance(node, ast.Import) else node.module or ""
        for node in ast.walk(ast.parse((EXAMPLES / name).read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported
    assert not [module for module in imported if module.startswith(("otel_arthur", "opentelemetry"))]


def event(text: str) -> bytes:
    """One piece of a streamed answer, as the service sends it."""
    chunk = {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}],
    }
    return f"data: {json.dumps(chunk)}\n\n".encode()


def talk(exchange: Exchange) -> None:
    """Begins an answer and never ends it, but answers what is asked `after` that."""
    exchange.read_body()
    ends = exchange.request.json["messages"][-1]["content"] == "after"
    body = event("Once upon") + (b"data: [DONE]\n\n" if ends else b"")
    length = len(body) if ends else 1 << 20
    exchange.sock.sendall(exchange.head(200, length, {"Content-Type": "text/event-stream"}) + body)
    if not ends:
        exchange.stopping.wait()
        exchange.close()


def test_ctrl_c_stops_an_answer_and_keeps_what_came(environ: dict[str, str]) -> None:
    with FaultServer() as slow:
        slow.always(talk, on="")
        environ["OPENAI_BASE_URL"] = f"{slow.url}/v1"
        with subprocess.Popen(
            CHAT,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(b"a story\n")
            said = b""
            while b"Once upon" not in said:
                said += process.stdout.read(100)
            process.send_signal(signal.SIGINT)
            rest, stderr = process.communicate(b"after\nq\n", timeout=PATIENCE)
        asked = [request.json["messages"] for request in slow.requests if request.body]

    assert (process.returncode, stderr) == (0, b"")
    assert b"(stopped)" in rest
    assert [message["content"] for message in asked[-1]][1:] == ["a story", "Once upon", "after"]


def test_ctrl_c_while_it_starts_is_quiet(environ: dict[str, str]) -> None:
    """As soon as its file is being run, which the first import of LangChain's shows."""
    environ["PYTHONVERBOSE"] = "1"
    with subprocess.Popen(CHAT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        line = b""
        while b"langchain_core/messages" not in line:
            line = process.stderr.readline()
            assert line, "LangChain was never imported"
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=PATIENCE)

    assert process.returncode == 130
    assert b"Traceback" not in stderr
    assert stdout == b""
