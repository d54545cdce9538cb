"""`instrument`: one line in an application, which goes on whatever is wrong with that line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.processes.running import finished

PROGRAM = """
import logging, sys, otel_arthur
logging.basicConfig(stream=sys.stdout, format="%(message)s")
otel_arthur.instrument(spool_dir=sys.argv[1], ARGUMENTS)
from opentelemetry.instrumentation.langchain import LangchainInstrumentor
print("instrumented" if LangchainInstrumentor().is_instrumented_by_opentelemetry else "plain")
"""


def lines(arguments: str, spool: Path, program: str = PROGRAM) -> list[str]:
    environ = {
        **{name: value for name, value in os.environ.items() if "ARTHUR" not in name},
        "OTEL_EXPORTER_ARTHUR_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_EXPORTER_ARTHUR_API_KEY": "key",
        "OTEL_EXPORTER_ARTHUR_MODEL_ID": "model",
    }
    done = finished([sys.executable, "-c", program.replace("ARGUMENTS", arguments), str(spool)], env=environ)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("arguments", ["", "instrumentations='langchain'", "instrumentations=['langchain']"])
def test_a_name_alone_is_a_name(arguments: str, tmp_path: Path) -> None:
    assert lines(arguments, tmp_path) == ["instrumented"]


def test_what_is_not_installed_is_said(tmp_path: Path) -> None:
    said, then = lines("instrumentations=('nothing-of-this-name',)", tmp_path)

    assert "no instrumentation called nothing-of-this-name is installed" in said
    assert then == "plain"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [("instrumentations=5", "instrumentations"), ("api_key=5", "api_key"), ("timeout='soon'", "timeout")],
)
def test_an_argument_of_a_wrong_kind_does_not_end_the_application(
    arguments: str, named: str, tmp_path: Path
) -> None:
    said, _ = lines(arguments, tmp_path)

    assert f"argument {named} " in said


AGAIN = """
import threading, sys, otel_arthur
for number in range(200):
    provider = otel_arthur.instrument(instrumentations=(), spool_dir=sys.argv[1], timeout=number + 1)
names = [thread.name for thread in threading.enumerate()]
print(names.count("OtelBatchSpanRecordProcessor"))
print([bridge.configuration.timeout for bridge in otel_arthur.sdk.bridge.live()][-1])
"""


def test_called_again_it_changes_the_settings_and_adds_no_processor(tmp_path: Path) -> None:
    """As in a notebook's cell."""
    done = finished(
        [sys.executable, "-c", AGAIN, str(tmp_path)],
        env={
            **os.environ,
            "OTEL_EXPORTER_ARTHUR_ENDPOINT": "http://127.0.0.1:9",
            "OTEL_EXPORTER_ARTHUR_API_KEY": "key",
            "OTEL_EXPORTER_ARTHUR_MODEL_ID": "model",
        },
    )
    assert (done.stdout.split(), done.stderr) == (["1", "200.0"], "")


STATE = """
import logging, signal, sys, otel_arthur
logging.basicConfig(stream=sys.stdout, format="%(message)s")
otel_arthur.instrument(instrumentations=(), spool_dir=sys.argv[1], ARGUMENTS)
from langchain_core.callbacks.manager import CallbackManagerForLLMRun
print("watched" if hasattr(CallbackManagerForLLMRun.on_llm_end, "__wrapped__") else "unwatched")
print("handled" if callable(signal.getsignal(signal.SIGTERM)) else "unhandled")
"""


@pytest.mark.parametrize(
    ("arguments", "state"),
    [
        ("duplicate_window=0, max_text_length=100, spool_max_age='1h'", ["unwatched", "handled"]),
        ("likelihoods=True", ["watched", "handled"]),
        ("likelihoods='no'", ["unwatched", "handled"]),
        ("flush_on_sigterm=True", ["unwatched", "handled"]),
        ("flush_on_sigterm='false'", ["unwatched", "unhandled"]),
    ],
)
def test_every_setting_is_an_argument_with_an_effect(
    arguments: str, state: list[str], tmp_path: Path
) -> None:
    assert lines(arguments, tmp_path, STATE) == state
