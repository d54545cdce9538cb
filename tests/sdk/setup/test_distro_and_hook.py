"""Zero-code with the official GenAI instrumentations: the distro, the completion hook and event content."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from otel_arthur.local.server import LocalArthur
from tests.support.environments.tiers import environment, needs, python_of
from tests.support.processes.running import finished
from tests.support.servers.providers.openai_server import OpenAIServer
from tests.support.waiting import PATIENCE

pytestmark = needs("instrumentations")

APPLICATION = """
import asyncio
from concurrent.futures import ThreadPoolExecutor
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI

llm = ChatOpenAI(model="gpt-4o-mini", max_retries=0)
print(llm.invoke([SystemMessage("Be brief."), HumanMessage("ECHO secret-1")]).text)
print("".join(chunk.text for chunk in llm.stream("ECHO secret-2", stream_usage=True)))
with ThreadPoolExecutor(8) as pool:
    print(*(m.text for m in pool.map(llm.invoke, [f"ECHO parallel-{i}" for i in range(16)])))
print(len(llm.generate([[HumanMessage("two choices")]], n=2).generations[0]))
print(asyncio.run(llm.ainvoke("ECHO secret-3")).text)
"""
CALLS = 20


@pytest.fixture
def model_server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


def run(
    program: str, tmp_path: Path, settings: dict[str, str], server: OpenAIServer | None = None
) -> subprocess.CompletedProcess[str]:
    script = tmp_path / "application.py"
    script.write_text(program)
    folder = environment("instrumentations") / "bin"
    environ = {
        **os.environ,
        "OPENAI_API_KEY": "test",
        "OPENAI_BASE_URL": server.base_url if server is not None else "http://127.0.0.1:9",
        "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(tmp_path / "child-spool"),
        **settings,
    }
    done = finished(
        [str(folder / "opentelemetry-instrument"), str(folder / "python"), str(script)], env=environ
    )
    assert done.returncode == 0, done.stderr
    return done


def destination(arthur: LocalArthur, model_id: str) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_ARTHUR_ENDPOINT": arthur.url,
        "OTEL_EXPORTER_ARTHUR_API_KEY": arthur.api_key,
        "OTEL_EXPORTER_ARTHUR_MODEL_ID": model_id,
    }


CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
WAYS = {
    "distro": {"OTEL_PYTHON_DISTRO": "arthur"},
    "hook alone": {
        "OTEL_PYTHON_DISTRO": "distro",
        "OTEL_TRACES_EXPORTER": "arthur",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK": "arthur",
    },
    "events alone": {
        "OTEL_PYTHON_DISTRO": "distro",
        "OTEL_TRACES_EXPORTER": "arthur",
        "OTEL_LOGS_EXPORTER": "arthur",
        "OTEL_METRICS_EXPORTER": "none",
        CONTENT: "event_only",
    },
    "events and hook": {"OTEL_PYTHON_DISTRO": "arthur", CONTENT: "event_only"},
    "span and event": {"OTEL_PYTHON_DISTRO": "arthur", CONTENT: "span_and_event"},
}


@pytest.mark.parametrize("way", WAYS)
def test_every_call_arrives_once_with_its_content(
    arthur: LocalArthur, model_id: str, model_server: OpenAIServer, tmp_path: Path, way: str
) -> None:
    done = run(APPLICATION, tmp_path, {**destination(arthur, model_id), **WAYS[way]}, model_server)

    answered = sorted(text for call in model_server.calls for text in call.texts)
    assert len(model_server.calls) == CALLS, done.stderr
    rows = [row.inference_data for row in arthur.store.inferences(model_id, limit=1000).inferences]
    assert sorted(row["output_text"] for row in rows) == answered, done.stderr
    for row in rows:
        asked = row["input_text"].rpartition("Human: ")[2]
        assert asked in ("two choices", f"ECHO {row['output_text']}")
    (first,) = (row for row in rows if row["output_text"] == "secret-1")
    assert first["input_text"] == "System: Be brief.\nHuman: ECHO secret-1"
    assert "Traceback" not in done.stderr


def test_the_distro_keeps_prompts_from_every_other_backend(
    arthur: LocalArthur, model_id: str, model_server: OpenAIServer, tmp_path: Path
) -> None:
    settings = {
        **destination(arthur, model_id),
        "OTEL_PYTHON_DISTRO": "arthur",
        "OTEL_TRACES_EXPORTER": "arthur,console",
        "OTEL_LOGS_EXPORTER": "arthur,console",
    }
    program = "import sys\nsys.stdout = open(sys.argv[0] + '.out', 'w')\n" + APPLICATION
    done = run(program, tmp_path, settings, model_server)

    exported = done.stdout + done.stderr
    assert '"name": "chat gpt-4o-mini"' in exported, "the console exporter was there"
    assert "secret" not in exported
    rows = arthur.store.inferences(model_id, limit=1000).inferences
    assert any("secret-1" in row.inference_data["input_text"] for row in rows)


SHOW = """
import json, os
from opentelemetry import trace
processors = getattr(trace.get_tracer_provider(), "_active_span_processor", None)
exporters = [type(p.span_exporter).__name__ for p in getattr(processors, "_span_processors", ())]
print(json.dumps({"exporters": exporters, **{k: v for k, v in os.environ.items() if k.startswith("OTEL_")}}))
"""


def shown(tmp_path: Path, settings: dict[str, str]) -> dict[str, object]:
    return json.loads(run(SHOW, tmp_path, settings).stdout.splitlines()[-1])


def test_the_distro_sets_defaults_that_explicit_variables_override(tmp_path: Path) -> None:
    plain = shown(tmp_path, {"OTEL_PYTHON_DISTRO": "arthur", "OTEL_LOGS_EXPORTER": ""})
    assert plain["exporters"] == ["ArthurSpanExporter"]
    assert {name: plain.get(name) for name in sorted(plain) if "ARTHUR" not in name} == {
        "exporters": ["ArthurSpanExporter"],
        "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK": "arthur",
        "OTEL_LOGS_EXPORTER": "arthur",
        "OTEL_PYTHON_DISTRO": "arthur",
        "OTEL_TRACES_EXPORTER": "arthur",
    }
    explicit = {
        "OTEL_TRACES_EXPORTER": "console",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_METRICS_EXPORTER": "console",
        "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK": "upload",
    }
    overridden = shown(tmp_path, {"OTEL_PYTHON_DISTRO": "arthur", **explicit})
    decided = shown(tmp_path, {"OTEL_PYTHON_DISTRO": "arthur", CONTENT: "span_only"})
    assert "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK" not in decided
    assert {name: overridden[name] for name in explicit} == explicit
    assert overridden["exporters"] == ["ConsoleSpanExporter"]


def test_not_named_the_distro_is_not_there(tmp_path: Path) -> None:
    """What OpenTelemetry's own distro sets is set, as in an installation without us."""
    exporters = {"OTEL_TRACES_EXPORTER": "console"}
    unnamed = shown(tmp_path, exporters)
    named = shown(tmp_path, {**exporters, "OTEL_PYTHON_DISTRO": "distro"})
    assert unnamed == {name: value for name, value in named.items() if name != "OTEL_PYTHON_DISTRO"}
    assert unnamed["OTEL_LOGS_EXPORTER"] == "otlp"
    assert "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK" not in unnamed


@pytest.mark.parametrize("variables", [{}, {"OTEL_PYTHON_DISTRO": "arthur"}], ids=["unset", "named"])
def test_check_names_the_distro_beside_ours(
    arthur: LocalArthur, model_id: str, variables: dict[str, str]
) -> None:
    done = subprocess.run(
        [str(python_of("instrumentations")), "-m", "otel_arthur", "check"],
        env={**os.environ, **destination(arthur, model_id), "OTEL_TRACES_EXPORTER": "arthur", **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    advice = [line for line in done.stdout.splitlines() if "export OTEL_PYTHON_DISTRO=arthur" in line]
    assert len(advice) == (0 if variables else 1)
