"""A name that is no setting of ours is one line, whether it is an argument's or a variable's."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from otel_arthur import ArthurSpanExporter
from otel_arthur.configuration import SETTINGS, Configuration
from otel_arthur.local.server import LocalArthur

read = Configuration.from_environment


@pytest.mark.parametrize(
    ("name", "meant"), [("max_text_lenght", "max_text_length"), ("self", ""), ("environ", "")]
)
def test_an_argument_that_is_no_setting_is_one_line(name: str, meant: str) -> None:
    configuration = read({}, **{name: 1})

    (problem,) = configuration.problems
    assert str(problem).startswith(f"argument {name} is ignored: it is not a setting")
    assert meant in str(problem)
    assert configuration.unusable == ()


@pytest.mark.parametrize(
    ("name", "meant", "held"),
    [
        ("endpiont", "endpoint", ""),
        ("redcat", "redact", ("unusable",)),
        ("contnet", "content", "metadata"),
        ("insecur", "insecure", False),
        ("REDACT", "redact", ("unusable",)),
    ],
)
def test_a_slip_of_the_pen_does_not_send_prompts_to_the_default(name: str, meant: str, held: object) -> None:
    configuration = read({}, **{name: "https://inside.example"})
    (problem,) = configuration.unusable

    assert f"did you mean {meant}?" in str(problem)
    assert getattr(configuration, meant) == held, "what waits until then holds no text"


@pytest.mark.parametrize(
    ("name", "meant", "is_protected"),
    [
        ("REDCAT", "REDACT", True),
        ("redact", "REDACT", True),
        ("ENGINE_ENDPIONT", "ENGINE_ENDPOINT", True),
        ("MODLE_ID", "MODEL_ID", False),
        ("TIMEOUTS", "TIMEOUT", False),
        ("", "", False),
        ("PROTOCOL", "", False),
    ],
)
def test_a_variable_of_ours_that_is_no_setting_is_one_line(name: str, meant: str, is_protected: bool) -> None:
    variable = f"OTEL_EXPORTER_ARTHUR_{name}"
    configuration = read({variable: "s3cret", "OTEL_EXPORTER_ARTHUR_ENDPOINT": "https://inside.example"})

    (problem,) = configuration.problems
    verdict = "cannot be used" if is_protected else "is ignored"
    hint = f"did you mean OTEL_EXPORTER_ARTHUR_{meant}?" if meant else "docs/reference/settings.md"
    assert str(problem).startswith(f"{variable} {verdict}: it is not a setting; {hint}")
    assert configuration.problems_with(meant.lower() or name) == (problem,)
    assert read({variable: " "}).problems == (), "an empty value is unset"


def test_variables_of_others_are_no_settings_of_ours() -> None:
    others = {"OTEL_EXPORTER_ARTHURS": "1", "OTEL_ARTHUR_DEBUG": "1", "OTEL_EXPORTER_OTLP_REDCAT": "email"}
    every = {setting.variable: "" for setting in SETTINGS}

    assert read({**others, **every}).problems == ()


def test_a_misspelt_redactor_sends_nothing_and_leaves_no_text_on_the_disk(
    arthur: LocalArthur,
    model_id: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    given = {"ENDPOINT": arthur.url, "API_KEY": arthur.api_key, "MODEL_ID": model_id, "REDCAT": "email"}
    for name, value in {**given, "SPOOL_DIR": str(tmp_path), "TIMEOTU": "5"}.items():
        monkeypatch.setenv(f"OTEL_EXPORTER_ARTHUR_{name}", value)
    with caplog.at_level(logging.WARNING, logger="otel_arthur"):
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(ArthurSpanExporter()))
        with provider.get_tracer("app").start_as_current_span("chat m") as span:
            span.set_attribute("gen_ai.operation.name", "chat")
            for side in ("input", "output"):
                parts = [{"type": "text", "content": "write to me@example.org"}]
                span.set_attribute(f"gen_ai.{side}.messages", json.dumps([{"role": side, "parts": parts}]))
        provider.shutdown()

    said = [record.getMessage() for record in caplog.records]
    (line,) = [line for line in said if "REDCAT" in line]
    assert "nothing is sent to Arthur yet: OTEL_EXPORTER_ARTHUR_REDCAT cannot be used" in line
    assert "did you mean OTEL_EXPORTER_ARTHUR_REDACT?" in line
    (line,) = [line for line in said if "TIMEOTU" in line]
    assert "did you mean OTEL_EXPORTER_ARTHUR_TIMEOUT?" in line
    assert arthur.store.count(model_id) == 0
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert files
    assert not any(b"example.org" in file.read_bytes() for file in files)
