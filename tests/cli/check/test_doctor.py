"""``otel-arthur check`` as a doctor: what is in the way of calls is said, each with its next step."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from otel_arthur.cli.commands.check.application import examine_packages
from otel_arthur.cli.commands.check.report import Report
from otel_arthur.local.server import LocalArthur
from otel_arthur.sdk.setup.instrumentations import LIBRARIES, chosen
from tests.support.processes.running import finished
from tests.support.servers.account import onboarded


def package(folder: Path, name: str, version: str, instrumentor: str = "", source: str = "") -> None:
    """A package as pip leaves it in a folder."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    if instrumentor:
        module = instrumentor.partition(":")[0]
        (info / "entry_points.txt").write_text(f"[opentelemetry_instrumentor]\n{module} = {instrumentor}\n")
        (folder / f"{module}.py").write_text(source)


WANTS_ANOTHER = """
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

class Instrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ["anthropic >= 99"]

    def _instrument(self, **settings): ...

    def _uninstrument(self, **settings): ...
"""


def check(
    folder: Path, arthur: LocalArthur | None = None, **variables: str
) -> tuple[int, dict[str, Any], dict[str, list[Any]]]:
    """Exit code, the whole answer, and topic -> level, text and next step of its findings."""
    if arthur is not None:
        variables |= {
            "OTEL_EXPORTER_ARTHUR_ENDPOINT": arthur.url,
            "OTEL_EXPORTER_ARTHUR_API_KEY": arthur.api_key,
            "OTEL_EXPORTER_ARTHUR_MODEL_ID": onboarded(arthur),
        }
    done = finished(
        [sys.executable, "-m", "otel_arthur", "check", "--json"],
        env={**os.environ, "PYTHONPATH": str(folder), **variables},
        cwd=folder,
    )
    answer = json.loads(done.stdout)
    by_topic: dict[str, list[Any]] = {}
    for one in answer["findings"]:
        by_topic.setdefault(one["topic"], []).append((one["level"], one["text"], one["next"]))
    return done.returncode, answer, by_topic


def test_a_healthy_application_is_green(arthur: LocalArthur, tmp_path: Path) -> None:
    code, answer, found = check(tmp_path, arthur, OTEL_TRACES_EXPORTER="arthur")
    assert (code, answer["level"]) == (0, "green"), found
    assert "is recorded by opentelemetry-instrumentation-langchain" in found["langchain"][0][1]
    [model] = answer["models"]
    filled = {one["name"]: one["filled_from"] for one in model["attributes"]}
    assert filled["input_text"] == "input_text: the messages sent to the model"
    assert arthur.api_key not in json.dumps(answer)


def test_what_hides_calls_is_said_with_the_next_step(arthur: LocalArthur, tmp_path: Path) -> None:
    package(tmp_path, "anthropic", "2.0")
    package(tmp_path, "mistralai", "3.0")
    package(tmp_path, "opentelemetry-instrumentation-openai", "0.1", "old:Instrumentor", "import not_there")
    package(tmp_path, "opentelemetry-instrumentation-anthropic", "0.1", "picky:Instrumentor", WANTS_ANOTHER)
    package(tmp_path, "arthur-observability-sdk", "2.1")
    (tmp_path / "app.py").write_text(
        "import os\nfrom langchain_community.callbacks import ArthurCallbackHandler\n"
    )
    code, answer, found = check(
        tmp_path,
        arthur,
        OTEL_SDK_DISABLED="true",
        OTEL_TRACES_SAMPLER="always_off",
        OTEL_TRACES_EXPORTER="arthur,otlp",
        OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="langchain",
        TRACELOOP_TRACE_CONTENT="false",
        HTTP_PROXY="http://user:secret@proxy.example:3128",
        NO_PROXY="127.0.0.1",
    )
    assert (code, answer["level"]) == (1, "red")
    levels = {topic: [level for level, _, _ in findings] for topic, findings in found.items()}
    assert levels["sdk"] == levels["sampler"] == levels["openai"] == levels["anthropic"] == ["red"]
    assert levels["langchain"] == ["red"]
    assert levels["content"] == levels["mistralai"] == ["yellow"]
    assert levels["twice"] == ["yellow", "yellow"]
    assert "No module named 'not_there'" in found["openai"][0][1]
    assert "wants anthropic >= 99, and here is anthropic 2.0" in found["anthropic"][0][1]
    assert found["mistralai"][0][2] == "pip install opentelemetry-instrumentation-mistralai"
    assert found["sampler"][0][2] == "unset OTEL_TRACES_SAMPLER"
    assert "app.py line 2 names ArthurCallbackHandler" in found["twice"][0][1]
    assert "secret" not in json.dumps(answer)


def test_an_instrumentation_that_the_command_passes_over_is_said(tmp_path: Path) -> None:
    package(tmp_path, "cohere", "5.0")
    source = WANTS_ANOTHER.replace("anthropic >= 99", "cohere")
    package(tmp_path, "opentelemetry-instrumentation-cohere", "0.1", "fine:Instrumentor", source)
    metadata = tmp_path / "opentelemetry_instrumentation_cohere-0.1.dist-info" / "METADATA"
    wanted = "Requires-Dist: {}; extra == 'instruments'\n"
    metadata.write_text(metadata.read_text() + wanted.format("cohere") + wanted.format("its-sibling>=2"))
    _, _, found = check(tmp_path)
    level, text, advice = found["cohere"][0]
    assert (level, advice) == ("yellow", "pip install 'its-sibling>=2'")
    assert "opentelemetry-instrument passes it over without its-sibling>=2" in text


def test_a_framework_that_writes_spans_by_itself_needs_no_instrumentation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    package(tmp_path, "openai", "3.0")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.chdir(tmp_path)

    def found() -> dict[str | None, Any]:
        report = Report(as_json=True)
        examine_packages(report)
        return {one["topic"]: (one["level"], one["next"]) for one in report.findings}

    advice = "pip install opentelemetry-instrumentation-openai"
    assert found()["openai"] == ("yellow", advice)
    assert chosen() == []
    assert caplog.messages[0].endswith(f"; {advice}")
    caplog.clear()
    package(tmp_path, "pydantic-ai", "2.0")
    importlib.invalidate_caches()
    assert found()["openai"] == ("green", None)
    assert found()["pydantic-ai"] == ("yellow", "Agent.instrument_all()")
    assert (chosen(), caplog.messages) == ([], [])


def test_what_ends_the_check_is_a_finding_too(tmp_path: Path) -> None:
    code, answer, found = check(tmp_path, OTEL_EXPORTER_ARTHUR_API_KEY="k")
    assert (code, answer["level"]) == (2, "red")
    assert "OTEL_EXPORTER_ARTHUR_MODEL_ID" in found["configuration"][0][1]


def test_a_library_has_one_name_and_its_recorders_once() -> None:
    names = [library.name for library in LIBRARIES]
    assert len(set(names)) == len(names)
    recorders = [one for library in LIBRARIES for one in library.recorders]
    assert len(set(recorders)) == len(recorders)
    assert all(library.recorders or library.by_itself for library in LIBRARIES)
