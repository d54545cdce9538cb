"""The exporter inside a process: real LangChain, real instrumentation, local Arthur over HTTP."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.langchain import LangchainInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExportResult
from pydantic import SecretStr

from otel_arthur import ArthurSpanExporter
from otel_arthur.configuration import PROTECTED
from otel_arthur.local.server import LocalArthur
from tests.support.servers.account import onboarded
from tests.support.servers.ports import free_port
from tests.support.servers.providers.openai_server import OpenAIServer
from tests.support.waiting import PATIENCE, eventually


def exporter_for(
    arthur: LocalArthur, model_id: str, tmp_path: Path, timeout: float = PATIENCE, **settings: Any
) -> ArthurSpanExporter:
    return ArthurSpanExporter(
        endpoint=arthur.url,
        api_key=arthur.api_key,
        model_id=model_id,
        spool_dir=tmp_path / "spool",
        timeout=timeout,
        **settings,
    )


def message(role: str, words: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": words}]}])


def llm_span(provider: TracerProvider, question: str = "hi", answer: str = "hello") -> str:
    """One span as any GenAI instrumentation writes it; returns its id."""
    with provider.get_tracer("app").start_as_current_span("chat m") as span:
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.request.model": "m",
                "gen_ai.input.messages": message("user", question),
                "gen_ai.output.messages": message("assistant", answer),
            }
        )
        return f"{span.get_span_context().span_id:016x}"


def texts(arthur: LocalArthur, model_id: str) -> list[str]:
    page = arthur.store.inferences(model_id, limit=1000)
    return sorted(row.inference_data["output_text"] for row in page.inferences)


def test_langchain_calls_arrive_and_our_own_traffic_is_not_traced(
    arthur: LocalArthur, model_id: str, tmp_path: Path
) -> None:
    provider = TracerProvider(resource=Resource.create({"service.name": "in-process"}))
    provider.add_span_processor(BatchSpanProcessor(exporter_for(arthur, model_id, tmp_path)))
    LangchainInstrumentor().instrument(tracer_provider=provider)
    try:
        with OpenAIServer() as server:
            llm = ChatOpenAI(model="gpt-4o-mini", base_url=server.base_url, api_key=SecretStr("test"))
            llm.invoke("ECHO one")
            llm.batch([[HumanMessage("ECHO two")], [HumanMessage("ECHO two")]])
        provider.force_flush()
        assert texts(arthur, model_id) == ["one", "two", "two"]
    finally:
        LangchainInstrumentor().uninstrument()
        provider.shutdown()


def test_force_flush_means_sent_and_ordinary_spans_are_not(
    arthur: LocalArthur, model_id: str, tmp_path: Path
) -> None:
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter_for(arthur, model_id, tmp_path)))
    llm_span(provider)
    with provider.get_tracer("app").start_as_current_span("GET /"):
        pass
    provider.force_flush()

    assert texts(arthur, model_id) == ["hello"]
    provider.shutdown()


def test_shutdown_sends_what_is_left_and_export_refuses_after(
    arthur: LocalArthur, model_id: str, tmp_path: Path
) -> None:
    exporter = exporter_for(arthur, model_id, tmp_path)
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    llm_span(provider)
    provider.shutdown()
    exporter.shutdown()

    assert texts(arthur, model_id) == ["hello"]
    assert exporter.export([]) is SpanExportResult.FAILURE


def test_arthur_that_appears_late_gets_everything(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with LocalArthur(port=free_port(), db=tmp_path / "arthur.db") as arthur:
        model_id = onboarded(arthur)
        arthur.stop()
        provider = TracerProvider()
        exporter = exporter_for(arthur, model_id, tmp_path, duplicate_window=0)
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=10))
        llm_span(provider, answer="said while Arthur was away")
        eventually(lambda: "to be sent again" in caplog.text, "the first call is tried in vain")
        arthur.start()
        llm_span(provider, answer="said when Arthur was back")
        provider.force_flush()
        # A flush tries again at once, but the SDK passes on none of a queue that is empty by now.
        exporter.force_flush(int(1000 * PATIENCE))
        assert texts(arthur, model_id) == ["said when Arthur was back", "said while Arthur was away"]
        provider.shutdown()


def test_a_simple_processor_does_not_wait_for_arthur(tmp_path: Path) -> None:
    """On the application's thread `export` must only spool: here nothing ever answers."""
    with LocalArthur(port=free_port()) as arthur:
        model_id = onboarded(arthur)
        arthur.stop()
        provider = TracerProvider()
        exporter = exporter_for(arthur, model_id, tmp_path, timeout=3600.0)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        ended = threading.Event()

        def application() -> None:
            for _ in range(20):
                llm_span(provider)
            ended.set()

        thread = threading.Thread(target=application)
        thread.start()
        assert ended.wait(PATIENCE)
        thread.join()
        provider.shutdown()


def test_two_exporters_of_one_configuration_share_the_bridge(
    arthur: LocalArthur, model_id: str, tmp_path: Path
) -> None:
    first, second = (exporter_for(arthur, model_id, tmp_path) for _ in range(2))
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(second))
    first.shutdown()
    llm_span(provider)
    provider.shutdown()

    assert texts(arthur, model_id) == ["hello"]


def test_a_span_of_an_unforeseen_shape_does_not_cost_its_batch(
    arthur: LocalArthur, model_id: str, tmp_path: Path
) -> None:
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter_for(arthur, model_id, tmp_path)))
    with provider.get_tracer("app").start_as_current_span("odd") as span:
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.input.messages": "\ud83d not json",
                "gen_ai.output.messages": [1, True],
                "gen_ai.usage.input_tokens": "many",
            }
        )
    llm_span(provider)
    provider.force_flush()

    assert "hello" in texts(arthur, model_id)
    provider.shutdown()


def test_the_constructor_never_raises_and_says_what_is_missing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_ARTHUR_TIMEOUT", "soon")
    with caplog.at_level(logging.WARNING, logger="otel_arthur"):
        exporter = ArthurSpanExporter(spool_dir="/proc/no/such/place")
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(exporter))
        llm_span(provider, question="SECRET")
        provider.shutdown()

    assert "OTEL_EXPORTER_ARTHUR_API_KEY" in caplog.text
    assert "OTEL_EXPORTER_ARTHUR_TIMEOUT" in caplog.text
    assert "SECRET" not in caplog.text


def test_importing_the_exporter_loads_no_server_no_command_and_no_protobuf() -> None:
    program = (
        "import sys, otel_arthur.sdk.span_exporter;"
        "print(*[m for m in sys.modules if m.split('.')[0] in "
        "('requests', 'google', 'grpc', 'starlette', 'uvicorn', 'click', 'rich', 'jinja2', 'arthurai')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""


def test_capture_gives_the_ids_that_arthur_gets(
    arthur: LocalArthur, model_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import otel_arthur

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter_for(arthur, model_id, tmp_path)))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    with otel_arthur.capture() as outer:
        llm_span(provider, answer="first")
        with otel_arthur.capture() as inner:
            llm_span(provider, answer="second")
    llm_span(provider, answer="outside")
    provider.force_flush()

    page = arthur.store.inferences(model_id, limit=10)
    ids = {row.inference_data["output_text"]: row.partner_inference_id for row in page.inferences}
    assert list(outer) == [ids["first"], ids["second"]]
    assert list(inner) == [ids["second"]]
    provider.shutdown()


def test_inference_id_of_the_current_span(tmp_path: Path) -> None:
    import otel_arthur

    # A test before this one can leave a span: old versions of OpenLLMetry never detach theirs.
    token = context.attach(Context())
    assert otel_arthur.inference_id() is None
    with TracerProvider().get_tracer("app").start_as_current_span("chat") as span:
        key = span.get_span_context()
        assert otel_arthur.inference_id() == f"{key.trace_id:032x}-{key.span_id:016x}-0"
        assert otel_arthur.inference_id(span, choice=2) == f"{key.trace_id:032x}-{key.span_id:016x}-2"
    context.detach(token)


@pytest.mark.parametrize(
    "arguments",
    [
        {"api_key": 5, "endpoint": 5, "model_id": 5},
        {"models": [1], "attributes": 5, "redact": 5},
        {"timeout": -1, "sample_ratio": 5, "spool_max_mb": "lots"},
        {"arthur_model": 5},
        {"endpoint": "https://user:s3cret@127.0.0.1:9", "certificate": 5, "insecure": "perhaps"},
    ],
    ids=["connection", "structures", "numbers", "model", "mixed"],
)
def test_no_argument_makes_it_raise(
    arguments: dict[str, object], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="otel_arthur"):
        exporter = ArthurSpanExporter(**{"spool_dir": tmp_path, **arguments})  # type: ignore[arg-type]
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(exporter))
        llm_span(provider)
        provider.shutdown()

    said = [record.getMessage() for record in caplog.records]
    for name in arguments:
        verdict = "cannot be used" if name in PROTECTED else "is ignored"
        assert sum(f"argument {name} {verdict}: " in line for line in said) == 1
    assert "s3cret" not in caplog.text
    assert not any(b"s3cret" in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


@pytest.mark.parametrize("arguments", [{"span": "x"}, {"choice": "first"}], ids=["span", "choice"])
def test_inference_id_never_raises(arguments: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    import otel_arthur

    with caplog.at_level(logging.WARNING, logger="otel_arthur"):
        assert otel_arthur.inference_id(**arguments) is None  # type: ignore[arg-type]

    (record,) = caplog.records
    assert f"argument {next(iter(arguments))} is of type str" in record.getMessage()
