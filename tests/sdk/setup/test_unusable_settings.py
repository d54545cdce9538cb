"""A setting that says what leaves, or where to, and cannot be used: nothing leaves until it is corrected."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from otel_arthur.local.server import LocalArthur
from tests.support.processes.running import finished
from tests.support.servers.account import onboarded

APPLICATION = """
import json, os
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from otel_arthur import ArthurSpanExporter

def message(role, words):
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": words}]}])

provider = TracerProvider(resource=Resource.create({"service.name": "support"}))
provider.add_span_processor(BatchSpanProcessor(ArthurSpanExporter(**json.loads(os.environ["ARGUMENTS"]))))
with provider.get_tracer("app").start_as_current_span("chat m") as span:
    span.set_attribute("gen_ai.operation.name", "chat")
    span.set_attribute("gen_ai.input.messages", message("user", "the question"))
    span.set_attribute("gen_ai.output.messages", message("assistant", os.environ["ANSWER"]))
provider.shutdown()
"""


class Listener:
    """Counts who connects; stands where the endpoint is, and where a proxy on the way to any other is."""

    def __init__(self) -> None:
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listening = Listener()
    yield listening
    listening.close()


@pytest.fixture
def settings(arthur: LocalArthur, listener: Listener, tmp_path: Path) -> dict[str, str]:
    """Everything right, with the listener as the endpoint."""
    model_id = onboarded(arthur)
    return {
        "OTEL_EXPORTER_ARTHUR_ENDPOINT": f"http://{listener.address}",
        "OTEL_EXPORTER_ARTHUR_API_KEY": arthur.api_key,
        "OTEL_EXPORTER_ARTHUR_MODEL_ID": model_id,
        "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(tmp_path / "spool"),
        "HTTPS_PROXY": f"http://{listener.address}",
        "HTTP_PROXY": f"http://{listener.address}",
    }


def record(answer: str, settings: dict[str, str], **arguments: str) -> list[str]:
    """Run an application that makes one call; the lines on its stderr."""
    environ = {name: value for name, value in os.environ.items() if "ARTHUR" not in name}
    done = finished(
        [sys.executable, "-c", APPLICATION],
        env={**environ, **settings, "ANSWER": answer, "ARGUMENTS": json.dumps(arguments)},
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()


def answers(arthur: LocalArthur, settings: dict[str, str]) -> list[str | None]:
    page = arthur.store.inferences(settings["OTEL_EXPORTER_ARTHUR_MODEL_ID"], limit=10)
    return sorted(row.inference_data["output_text"] for row in page.inferences)


def assert_held(lines: list[str], listener: Listener, settings: dict[str, str], named: str) -> None:
    """That one line says which setting and that nothing is sent, and nothing was."""
    (line,) = [line for line in lines if "cannot be used" in line]
    assert named in line
    assert "nothing is sent to Arthur" in line
    assert f"wait in {settings['OTEL_EXPORTER_ARTHUR_SPOOL_DIR']}" in line
    assert "the question" not in line
    assert listener.connections == 0


def assert_taken_over(arthur: LocalArthur, settings: dict[str, str], held: str) -> None:
    """That a corrected process of the same service sends what waits, beside its own."""
    corrected = {**settings, "OTEL_EXPORTER_ARTHUR_ENDPOINT": arthur.url}
    record("second", corrected)
    record("third", corrected)
    assert answers(arthur, settings) == sorted([held, "second", "third"])


@pytest.mark.parametrize(
    "form",
    [
        '"http://{}"',
        "'http://{}'",
        "{}",
        "http://127.0.0.1 /{}",
        "http:///{}",
        "http://:80/{}",
        "ftp://{}",
        "http:/{}",
        "http://${{HOST}}/{}",
        "http://user:secret@{}",
        # Another machine, in the clear: its connection would be the proxy's, which is the listener.
        "http://arthur.example",
    ],
)
def test_an_endpoint_that_cannot_be_used_is_not_the_default(
    form: str, arthur: LocalArthur, listener: Listener, settings: dict[str, str]
) -> None:
    endpoint = form.format(listener.address)
    lines = record("first", {**settings, "OTEL_EXPORTER_ARTHUR_ENDPOINT": endpoint})

    assert_held(lines, listener, settings, "OTEL_EXPORTER_ARTHUR_ENDPOINT")
    assert endpoint not in "".join(lines)
    assert_taken_over(arthur, settings, "first")


@pytest.mark.parametrize(
    ("name", "value", "held"),
    [
        ("OTEL_EXPORTER_ARTHUR_CONTENT", "metdata", ""),
        ("OTEL_EXPORTER_ARTHUR_REDACT", "emial", "[withheld: redaction failed]"),
        ("OTEL_EXPORTER_ARTHUR_REDACT", "no.such.module.function", "[withheld: redaction failed]"),
        ("OTEL_EXPORTER_ARTHUR_CERTIFICATE", "~nobody-of-this-name/ca.pem", "first"),
        ("OTEL_EXPORTER_ARTHUR_INSECURE", "perhaps", "first"),
        ("VERIFY_SSL", "perhaps", "first"),
    ],
)
def test_a_protection_that_cannot_be_used_is_not_left_out(
    name: str, value: str, held: str, arthur: LocalArthur, listener: Listener, settings: dict[str, str]
) -> None:
    lines = record("first", {**settings, name: value})

    assert_held(lines, listener, settings, name)
    assert ("without their texts" in "".join(lines)) == (held != "first")
    assert_taken_over(arthur, settings, held)


@pytest.mark.parametrize("insecure", ["false", "true"])
def test_a_certificate_that_is_not_there_holds_calls_until_it_is(
    insecure: str, arthur: LocalArthur, listener: Listener, settings: dict[str, str]
) -> None:
    """Under the right endpoint: the file may come while the process runs."""
    missing = {
        "OTEL_EXPORTER_ARTHUR_CERTIFICATE": "/no/such/ca.pem",
        "OTEL_EXPORTER_ARTHUR_INSECURE": insecure,
    }
    right = {"OTEL_EXPORTER_ARTHUR_ENDPOINT": arthur.url}
    lines = record("first", {**settings, **right, **missing})

    assert any("OTEL_EXPORTER_ARTHUR_CERTIFICATE" in line and "Inferences wait in" in line for line in lines)
    assert answers(arthur, settings) == []
    assert listener.connections == 0
    assert_taken_over(arthur, settings, "first")


def test_an_argument_that_cannot_be_used_is_not_replaced_by_the_variable(
    arthur: LocalArthur, listener: Listener, settings: dict[str, str]
) -> None:
    lines = record("first", settings, endpoint=listener.address)

    assert_held(lines, listener, settings, "argument endpoint")
    assert_taken_over(arthur, settings, "first")


def test_an_argument_that_can_be_used_wins_over_a_variable_that_cannot(
    arthur: LocalArthur, settings: dict[str, str]
) -> None:
    lines = record("first", {**settings, "OTEL_EXPORTER_ARTHUR_ENDPOINT": "nonsense"}, endpoint=arthur.url)

    assert lines == []
    assert answers(arthur, settings) == ["first"]
