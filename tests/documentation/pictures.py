"""The pictures of the dashboard in the README and in docs/local-arthur.md, from a day of invented calls.

    python -m tests.documentation.pictures [FOLDER]

With a folder, every page is pictured there, wide and narrow, light and dark, for people to look at.
"""

from __future__ import annotations

import random
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import requests
from playwright.sync_api import Browser, sync_playwright

from otel_arthur.arthur.onboarding import METADATA_FIELDS, model_request
from otel_arthur.local import LocalArthur
from otel_arthur.local.engine.spans import ReceivedResource, ReceivedSpan
from tests.local.page import HOSTILE
from tests.support.environments import browser
from tests.support.paths import ROOT
from tests.support.servers.account import onboarded
from tests.support.waiting import PATIENCE

IMAGES: Final = ROOT / "docs" / "images"
NOW: Final = datetime(2026, 11, 28, 20, tzinfo=timezone.utc)
ASKED: Final = (
    ("Where is my order 4471?", "It left Rotterdam this morning and arrives on Thursday."),
    ("How do I reset my password?", "Open Settings, choose Security, then Reset. A link comes by mail."),
    ("Translate 'good morning' to Portuguese.", "Bom dia."),
    ("Summarise the ticket in one sentence.", "The customer was charged twice and wants one refund."),
    ("Which plan has single sign-on?", "Team and Enterprise have it; Starter does not."),
)
FAILURES: Final = (
    ("RateLimitError", "Error code: 429 - Rate limit reached: limit 30000, used {}. Try again in {}ms."),
    (
        "BadRequestError",
        "Error code: 400 - This model's context is 16385 tokens; the messages are {} tokens.",
    ),
    ("APITimeoutError", "Request timed out."),
)
MODELS: Final = ("gpt-4o-mini-2024-07-18", "gpt-4o-2024-08-06", "claude-haiku-4-5")


def calls(count: int) -> list[dict[str, Any]]:
    """Inferences of a day, each with all that a model may have."""
    dice = random.Random(21)
    rows: list[dict[str, Any]] = []
    for number in range(count):
        asked, answered = dice.choice(ASKED)
        duration, failed = dice.lognormvariate(0.2, 0.8), dice.random() < 0.05
        data: dict[str, Any] = {
            "input_text": f"System: You are the support of a shop.\nHuman: {asked}",
            "output_text": answered,
            "status": "ok",
            "finish_reason": dice.choice(("stop", "stop", "stop", "length", "tool_calls")),
            "duration": round(duration, 3),
            "time_to_first_token": round(duration / 4, 3),
            "prompt_tokens": dice.randint(30, 90),
            "completion_tokens": dice.randint(5, 60),
            "model": dice.choice(MODELS),
            "service_name": dice.choice(("support-bot", "checkout")),
            "conversation_id": f"chat-{number // 4}",
            "user_id": f"user-{number % 17}",
            "trace_id": f"{number // 4:032x}",
        }
        if failed:
            kind, message = dice.choices(FAILURES, (6, 3, 1))[0]
            says = message.format(dice.randint(29_000, 31_000), dice.randint(100, 900))
            data |= {"status": "error", "error_type": kind, "error_message": says, "output_text": ""}
            for name in ("finish_reason", "time_to_first_token", "prompt_tokens", "completion_tokens"):
                del data[name]
        ended = NOW - timedelta(seconds=dice.random() * 86_400)
        rows.append({"inference_timestamp": ended.isoformat(), "inference_data": data})
    return sorted(rows, key=lambda row: row["inference_timestamp"])


def rich() -> dict[str, Any]:
    """One call with tools, likelihoods and ground truth."""
    words = ("It", " is", " clear", " in", " Lis", "bon", ",", " 17", " degrees", ".")
    shares = (0.98, 0.97, 0.44, 0.99, 0.93, 0.99, 0.71, 0.18, 0.9, 0.95)
    asked = (
        "System: Use the tools.\nHuman: What is the weather in Lisbon?\nAI: Let me look.[{'name': 'weather', "
        "'args': {'city': 'Lisbon'}, 'id': 'a', 'type': 'tool_call'}]\nTool: {\"sky\": \"clear\"}\n"
        "Human: In one sentence, please."
    )
    likelihoods = [
        {word: share, " maybe": (1 - share) / 2} for word, share in zip(words, shares, strict=True)
    ]
    data = {
        "input_text": asked,
        "output_text": "".join(words),
        "status": "ok",
        "finish_reason": "stop",
        "duration": 1.234567,
        "time_to_first_token": 0.21,
        "prompt_tokens": 96,
        "completion_tokens": 10,
        "model": MODELS[1],
        "service_name": "support-bot",
        "conversation_id": "chat-weather",
        "user_id": "user-3",
        "trace_id": "a" * 32,
        "output_tokens": words,
        "output_likelihoods": likelihoods,
    }
    truth = {"expected_text": "Clear, 17 degrees."}
    return {"inference_timestamp": NOW.isoformat(), "inference_data": data, "ground_truth_data": truth}


def trace() -> list[ReceivedSpan]:
    """An agent's trace as the Engine's API keeps it."""
    end = int(NOW.timestamp()) * 10**9
    said = {"llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "Weather?"}
    told = {
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "Clear.",
    }
    error = {"exception.type": "RateLimitError", "exception.message": "Rate limit reached."}
    around = {"input.value": "Weather in Lisbon?", "output.value": "Clear."}
    parts = (
        ("1", None, "CHAIN", "POST /chat", 4.0, 0.0, "Ok", around),
        ("2", "1", "AGENT", "weather agent", 3.8, 0.1, "Ok", {}),
        ("3", "2", "LLM", "ChatOpenAI", 1.2, 0.2, "Error", {**said, **error}),
        (
            "4",
            "2",
            "TOOL",
            "weather",
            0.4,
            1.6,
            "Ok",
            {"input.value": '{"city": "Lisbon"}', "output.value": "17"},
        ),
        ("5", "2", "LLM", "ChatOpenAI", 1.4, 2.1, "Ok", {**said, **told}),
    )
    return [
        ReceivedSpan(
            trace_id="b" * 32,
            span_id=name * 16,
            parent_span_id=None if above is None else above * 16,
            kind=kind,
            name=words,
            start_ns=end + int(start * 1e9),
            end_ns=end + int((start + took) * 1e9),
            status=status,
            attributes=attributes,
            prompt_tokens=20 if kind == "LLM" else None,
            completion_tokens=5 if kind == "LLM" else None,
            total_tokens=25 if kind == "LLM" else None,
        )
        for name, above, kind, words, took, start, status, attributes in parts
    ]


def filled(arthur: LocalArthur, count: int, rest: bool) -> None:
    """A model with `count` calls and the rich one; with `rest`, hostile words and a trace too."""
    kinds = {"tokens": True, "likelihoods": True, "ground_truth": True}
    model = onboarded(arthur, model_request("support-bot", METADATA_FIELDS, **kinds))
    rows = [*calls(count), rich()]
    if rest:
        hostile = {"input_text": HOSTILE[0], "output_text": " ".join(HOSTILE), "model": HOSTILE[1]}
        rows.append({"inference_data": hostile | {"conversation_id": HOSTILE[2], "user_id": HOSTILE[-1]}})
        arthur.traces.add([ReceivedResource(None, "weather", tuple(trace()), ())])
    for first in range(0, len(rows), 1_000):
        answer = requests.post(
            f"{arthur.url}/api/v3/models/{model}/inferences",
            json=rows[first : first + 1_000],
            headers={"Authorization": arthur.api_key},
            timeout=PATIENCE,
        )
        assert answer.json()["counts"]["failure"] == 0, answer.text[:2_000]


def picture(
    found: Browser, arthur: LocalArthur, path: str, file: Path, width: int, height: int | None, dark: bool
) -> None:
    """A picture of a page, whole where it has no height."""
    view = found.new_context(
        viewport={"width": width, "height": height or 900}, color_scheme="dark" if dark else "light"
    )
    page = view.new_page()
    page.goto(arthur.dashboard_link())
    page.goto(arthur.url + path)
    page.get_by_text("live", exact=True).or_(page.locator("h1")).first.wait_for()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=file, full_page=height is None)
    view.close()


def main(folder: Path | None) -> None:
    with LocalArthur() as arthur, sync_playwright() as playwright:
        filled(arthur, 495, rest=folder is not None)
        found = playwright.chromium.launch(executable_path=browser.program(), args=["--no-sandbox"])
        if folder is None:
            picture(found, arthur, "/", IMAGES / "dashboard-overview.png", 1200, 1010, dark=False)
            slow = "/calls?sort=-duration"
            picture(found, arthur, slow, IMAGES / "dashboard-calls.png", 1280, 620, dark=False)
            picture(found, arthur, "/calls/496", IMAGES / "dashboard-call.png", 1200, 1180, dark=False)
            return
        folder.mkdir(parents=True, exist_ok=True)
        pages = {
            "overview": "/",
            "calls": "/calls",
            "failed": "/calls?status=error",
            "empty": "/calls?search=zebra",
        }
        found_by = {"call": "conversation = 'chat-weather'", "failure": "status = 'error' AND inference > 9"}
        for name, condition in (found_by | {"hostile": "model LIKE '<%'"}).items():
            ((number,),) = arthur.store.read(f"SELECT id FROM calls WHERE {condition} LIMIT 1")
            pages[name] = f"/calls/{number}"
        pages["traces"] = "/traces"
        pages |= {
            "conversation": "/conversation?id=chat-3",
            "trace": f"/traces/{'b' * 32}",
            "gone": "/calls/9999",
        }
        for name, path in pages.items():
            picture(found, arthur, path, folder / f"{name}.png", 1280, None, dark=False)
            picture(found, arthur, path, folder / f"{name}-phone.png", 390, 1400, dark=True)
        found.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
