"""``OTEL_TRACES_EXPORTER=arthur`` alone: every way to start records each call and says nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_arthur.local.server import LocalArthur
from tests.support.environments.tiers import needs, python_of
from tests.support.processes.running import finished
from tests.support.servers.account import onboarded
from tests.support.servers.providers.openai_server import OpenAIServer

pytestmark = pytest.mark.slow

CALLS = 9
APPLICATION = f"""
from langchain_openai import ChatOpenAI
llm = ChatOpenAI(model="m", max_retries=0)
for number in range({CALLS}):
    print(llm.invoke(f"ECHO {{number}}").text)
"""
PARENT = """
import subprocess, sys
print(subprocess.run([sys.executable, "application.py"], check=True, capture_output=True, text=True).stdout)
"""
DECLARATIVE = """
file_format: "1.0"
tracer_provider:
  processors:
    - simple: {exporter: {console: {}}}
    - batch: {exporter: {arthur: {}}}
"""
SHOWN = """
import json, os, signal
from opentelemetry import trace
provider = trace.get_tracer_provider()
print(json.dumps({
    "provider": type(provider).__module__.partition(".sdk")[1],
    "terminates": str(signal.getsignal(signal.SIGTERM)),
    "variables": sorted(name for name in os.environ if name.startswith("OTEL_")),
}))
"""


class Backend:
    """Local Arthur with one model, a model server, and the environment of an application between them."""

    def __init__(self, arthur: LocalArthur, server: OpenAIServer, folder: Path) -> None:
        self._arthur, self._folder = arthur, folder
        self._model = onboarded(arthur)
        self._environ = {
            **os.environ,
            "OPENAI_BASE_URL": server.base_url,
            "OPENAI_API_KEY": "test",
            "OTEL_EXPORTER_ARTHUR_ENDPOINT": arthur.url,
            "OTEL_EXPORTER_ARTHUR_API_KEY": arthur.api_key,
            "OTEL_EXPORTER_ARTHUR_MODEL_ID": self._model,
            "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(folder / "child-spool"),
        }

    def run(
        self,
        *options: str,
        program: str = APPLICATION,
        python: str | Path = sys.executable,
        **variables: str,
    ) -> subprocess.CompletedProcess[str]:
        (self._folder / "application.py").write_text(APPLICATION)
        (self._folder / "started.py").write_text(program)
        done = finished(
            [str(Path(python).with_name("opentelemetry-instrument")), *options, str(python), "started.py"],
            env={**self._environ, **variables},
            cwd=self._folder,
        )
        assert done.returncode == 0, done.stderr
        return done

    def arrived(self) -> list[str]:
        rows = self._arthur.store.inferences(self._model, limit=1000).inferences
        return sorted(row.inference_data["output_text"] for row in rows)


EVERY_CALL = [str(number) for number in range(CALLS)]


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    with LocalArthur() as arthur, OpenAIServer() as server:
        yield Backend(arthur, server, tmp_path)


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        ((), {"OTEL_TRACES_EXPORTER": "arthur"}),
        (("--traces_exporter", "arthur"), {}),
        ((), {"OTEL_PYTHON_DISTRO": "arthur"}),
        ((), {"OTEL_TRACES_EXPORTER": "arthur", "OTEL_LOGS_EXPORTER": "arthur"}),
        ((), {"OTEL_TRACES_EXPORTER": "arthur,", "OTEL_METRICS_EXPORTER": "none"}),
    ],
    ids=["one variable", "option", "the distro's name", "both exporters", "comma at the end"],
)
def test_every_call_arrives_and_nothing_is_said(
    backend: Backend, options: tuple[str, ...], variables: dict[str, str]
) -> None:
    done = backend.run(*options, **variables)
    assert backend.arrived() == EVERY_CALL
    assert done.stderr == ""


@pytest.mark.parametrize("exporters", [pytest.param("arthur", marks=needs("installed"))])
def test_what_the_readme_installs_needs_no_other_variable(backend: Backend, exporters: str) -> None:
    done = backend.run(python=python_of("installed"), OTEL_TRACES_EXPORTER=exporters)
    assert backend.arrived() == EVERY_CALL
    assert done.stderr == ""


def test_a_python_child_records_its_calls(backend: Backend) -> None:
    done = backend.run(program=PARENT, OTEL_TRACES_EXPORTER="arthur")
    assert backend.arrived() == EVERY_CALL
    assert done.stderr == ""


def test_a_declarative_file_that_names_arthur(backend: Backend, tmp_path: Path) -> None:
    (tmp_path / "otel.yaml").write_text(DECLARATIVE)
    done = backend.run(OTEL_CONFIG_FILE="otel.yaml")
    assert backend.arrived() == EVERY_CALL
    assert '"name": "ChatOpenAI.chat"' in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("exporters", "variables", "said"),
    [
        ("otlp, arthur", {}, ["otlp", "opentelemetry-exporter-otlp-proto-grpc"]),
        ("arthur,otlp", {"OTEL_EXPORTER_OTLP_PROTOCOL": "smoke"}, ["otlp", "OTEL_EXPORTER_OTLP_PROTOCOL"]),
        ("nowhere,arthur", {}, ["nowhere", "not installed"]),
        ("arthur", {"OTEL_METRICS_EXPORTER": "prometheus"}, ["opentelemetry-exporter-prometheus"]),
    ],
)
def test_an_exporter_that_is_not_installed_is_one_line(
    backend: Backend, exporters: str, variables: dict[str, str], said: list[str]
) -> None:
    done = backend.run(OTEL_TRACES_EXPORTER=exporters, **variables)
    assert backend.arrived() == EVERY_CALL
    (line,) = done.stderr.splitlines()
    assert all(word in line for word in said), line


def test_the_other_exporters_of_a_list_work(backend: Backend) -> None:
    done = backend.run(OTEL_TRACES_EXPORTER="console, arthur, nowhere")
    assert backend.arrived() == EVERY_CALL
    assert done.stdout.count('"name": "ChatOpenAI.chat"') == CALLS


def shown(backend: Backend, **variables: str) -> dict[str, Any]:
    return json.loads(backend.run(program=SHOWN, **variables).stdout)


@pytest.mark.parametrize(
    "variables", [{}, {"OTEL_TRACES_EXPORTER": "console"}, {"OTEL_CONFIG_FILE": "other.yaml"}]
)
def test_merely_installed_it_changes_nothing(
    backend: Backend, tmp_path: Path, variables: dict[str, str]
) -> None:
    (tmp_path / "other.yaml").write_text("# arthur: is not here\nfile_format: '1.0'\n")
    state = shown(backend, **variables)
    assert state["provider"] == ""
    assert "_terminate" not in str(state["terminates"])
    assert "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK" not in state["variables"]


def test_no_variable_is_left_that_harms_a_child(backend: Backend) -> None:
    before = shown(backend)["variables"]
    after = shown(backend, OTEL_TRACES_EXPORTER="arthur")["variables"]
    assert set(after) - set(before) == {  # type: ignore[call-overload]
        "OTEL_TRACES_EXPORTER",
        "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK",
    }


@pytest.mark.parametrize("exporters", ["arthur", "console, arthur", "console,arthur"])
@pytest.mark.parametrize(("setting", "is_set"), [("", True), ("true", True), ("false", False)])
def test_sigterm_exports_first(backend: Backend, exporters: str, setting: str, is_set: bool) -> None:
    state = shown(backend, OTEL_TRACES_EXPORTER=exporters, OTEL_EXPORTER_ARTHUR_FLUSH_ON_SIGTERM=setting)
    assert ("_terminate" in str(state["terminates"])) is is_set
