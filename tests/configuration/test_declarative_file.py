"""The exporters as the SDK's own declarative configuration builds them: `OTEL_CONFIG_FILE` and its YAML."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from otel_arthur.local.engine.traces import Traces
from otel_arthur.local.server import LocalArthur
from tests.support.paths import ROOT
from tests.support.processes.running import finished
from tests.support.servers.account import onboarded

APPLICATION = """
import json
from opentelemetry import trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.configuration import configure_sdk, load_config_file

configure_sdk(load_config_file("otel.yaml"))
with trace.get_tracer("app").start_as_current_span("chat m") as span:
    span.set_attribute("gen_ai.operation.name", "chat")
    for side, role, words in (("input", "user", "a question"), ("output", "assistant", "an answer of words")):
        message = [{"role": role, "parts": [{"type": "text", "content": words}]}]
        span.set_attribute(f"gen_ai.{side}.messages", json.dumps(message))
trace.get_tracer_provider().shutdown()
getattr(get_logger_provider(), "shutdown", int)()
"""
FILE = """
file_format: "1.0"
tracer_provider:
  processors:
    - batch: {exporter: {arthur: SPANS}}
    - simple: {exporter: {console: {}}}
logger_provider:
  processors:
    - batch: {exporter: {arthur: LOGS}}
"""


def run(
    arthur: LocalArthur, folder: Path, spans: dict[str, object], logs: dict[str, object] | None = None
) -> tuple[list[str], list[str]]:
    """Run an application configured by a file; the answers that arrived, and our lines on its stderr."""
    model_id = onboarded(arthur)
    given = {
        "endpoint": arthur.url,
        "api_key": arthur.api_key,
        "model_id": model_id,
        "spool_dir": str(folder / "spool"),
    }
    # JSON is YAML.
    file = FILE.replace("SPANS", json.dumps({**given, **spans})).replace("LOGS", json.dumps(logs or {}))
    done = started(file, folder)
    assert '"name": "chat m"' in done.stdout, "the application's other telemetry"
    rows = arthur.store.inferences(model_id, limit=10).inferences
    return [row.inference_data["output_text"] for row in rows], done.stderr.splitlines()


def started(file: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The application, which ended well."""
    (folder / "otel.yaml").write_text(file)
    done = finished(
        [sys.executable, "-c", APPLICATION], env={**os.environ, "SPOOL": str(folder / "spool")}, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return done


def test_the_files_of_the_documentation(arthur: LocalArthur, model_id: str, tmp_path: Path) -> None:
    """Each as it is printed, but for the addresses, the ids and the places of the keys."""
    key = tmp_path / "key"
    key.write_text(arthur.api_key)
    traces = Traces(arthur.store)
    page = (ROOT / "docs" / "declarative.md").read_text()
    page = re.sub(r"(endpoint): https:.*", rf"\1: {arthur.url}", page)
    page = re.sub(r"(api_key_file): .*", rf"\1: {key}", page)
    page = re.sub(r"(model_id): .*", rf"\1: {model_id}", page)
    page = re.sub(r"(engine_task_id): .*", rf"\1: {traces.add_task('bot')}", page)
    for_v3, for_engine = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)

    assert started(for_v3, tmp_path).stderr == ""
    (row,) = arthur.store.inferences(model_id, limit=10).inferences
    assert row.inference_data["output_text"] == "an answer of words"
    assert started(for_engine, tmp_path).stderr == ""
    assert [span.name for span in traces.spans()[1]] == ["chat m"]


def test_values_of_yaml_s_own_kinds(arthur: LocalArthur, tmp_path: Path) -> None:
    settings = {
        "max_text_length": 9,
        "timeout": 5,
        "sample_ratio": 1,
        "insecure": False,
        "likelihoods": False,
        "duplicate_window": 0,
        "spool_max_mb": 1.5,
        "spool_max_age": 3600,
        "attributes": {"tenant": "app.tenant"},
        "redact": ["email", "card"],
    }
    answers, lines = run(arthur, tmp_path, settings)

    assert answers == ["an answer"]
    assert lines == []


BAD = {
    "max_text_lenght": (1000, "is not a setting"),
    "max_text_length": ("many", "must be a whole number"),
    "timeout": ([5], "is of type list"),
    "self": (1, "is not a setting"),
    "arthur_model": ({"id": 1}, "is of type dict"),
    "errors": (["x"], "is of type list"),
}
"""Argument -> a bad value, and what is said."""


def test_a_bad_argument_is_one_line_and_costs_no_telemetry(arthur: LocalArthur, tmp_path: Path) -> None:
    given = {name: value for name, (value, _) in BAD.items()}
    answers, lines = run(arthur, tmp_path, {**given, "compression": None})

    assert answers == ["an answer of words"]
    assert len(lines) == len(BAD)
    for name, (_, said) in BAD.items():
        (line,) = [line for line in lines if f"argument {name} is ignored: " in line]
        assert said in line


@pytest.mark.parametrize(
    "settings",
    [{"endpoint": "arthur.inside"}, {"endpiont": "x"}, {"content": "metdata"}, {"redact": ["emial"]}],
)
def test_a_bad_argument_that_says_where_prompts_go_sends_nothing(
    arthur: LocalArthur, tmp_path: Path, settings: dict[str, object]
) -> None:
    answers, lines = run(arthur, tmp_path, settings)

    assert answers == []
    (line,) = [line for line in lines if "cannot be used" in line]
    assert (
        f"argument {next(iter(settings))} cannot be used" in line or "redactor emial cannot be used" in line
    )
    assert "nothing is sent to Arthur" in line


def test_arguments_of_the_log_exporter_are_one_line(arthur: LocalArthur, tmp_path: Path) -> None:
    answers, lines = run(arthur, tmp_path, {}, {"endpoint": 5, "nonsense": 1})

    assert answers == ["an answer of words"]
    (line,) = lines
    assert "ArthurLogExporter ignores its arguments" in line
