"""DSPy under OpenInference. A letter means the same as elsewhere."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

import dspy
from recording import record

SYSTEM = {"role": "system", "content": "You are a helpful assistant."}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "get_weather", "description": "Get the weather.", "parameters": PARAMETERS}
TOOLS = [{"type": "function", "function": FUNCTION}]


def model() -> Any:
    return dspy.LM(
        "openai/gpt-4o-mini",
        api_base=os.environ["OPENAI_BASE_URL"],
        api_key="test",
        temperature=0.2,
        max_tokens=64,
        cache=False,
        num_retries=0,
    )


def ask(text: str, **more: Any) -> None:
    model()(messages=[SYSTEM, {"role": "user", "content": text}], **more)


def failing() -> None:
    with suppress(Exception):
        ask("ERR429")


SCENARIOS = {
    "a_invoke": lambda: ask("What is OpenTelemetry?"),
    "d_one_tool": lambda: ask("TOOLS weather?", tools=TOOLS),
    "e_err429": failing,
    "g_unicode": lambda: ask('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back'),
    "i_n2": lambda: model()(messages=[{"role": "user", "content": "two"}], n=2),
}

if __name__ == "__main__":
    record(SCENARIOS)
