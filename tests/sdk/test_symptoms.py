"""A process in which no LLM call was seen says so, where a client asked a model; others print nothing."""

from __future__ import annotations

import os
import sys

import pytest

from tests.support.processes.running import finished
from tests.support.servers.ports import free_port

PROGRAM = """
import contextlib, logging, sys, otel_arthur
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s", level=LEVEL)
logging.getLogger("httpx").setLevel(logging.ERROR)
otel_arthur.instrument(instrumentations=())
import openai
client = openai.OpenAI(api_key="k", base_url="http://127.0.0.1:PORT/v1", max_retries=0)
with contextlib.suppress(openai.OpenAIError):
    ASK
"""
ASKS = 'client.chat.completions.create(model="m", messages=[])'


@pytest.mark.parametrize(
    ("ask", "level", "told"),
    [
        (ASKS, "WARNING", ["WARNING otel-arthur: openai made requests, and no LLM call was recorded"]),
        ("pass", "WARNING", []),
        ("pass", "DEBUG", ["DEBUG otel-arthur: no LLM call was recorded in this process"]),
    ],
    ids=["asked", "imported alone", "imported alone, at DEBUG"],
)
def test_silence_is_said_where_a_model_was_asked(ask: str, level: str, told: list[str]) -> None:
    program = PROGRAM.replace("ASK", ask).replace("LEVEL", repr(level)).replace("PORT", str(free_port()))
    settings = {"ENDPOINT": "http://127.0.0.1:9", "API_KEY": "key", "MODEL_ID": "model"}
    done = finished(
        [sys.executable, "-c", program],
        env={**os.environ, **{f"OTEL_EXPORTER_ARTHUR_{name}": value for name, value in settings.items()}},
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if "no LLM call" in line]
    assert [line[: len(words)] for line, words in zip(lines, told, strict=True)] == told
    assert done.stderr == ""
