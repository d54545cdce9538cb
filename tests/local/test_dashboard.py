"""The dashboard in a real browser: charts, live update, keys, a phone, hostile words, an outage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from otel_arthur.local import LocalArthur
from tests.support.environments import browser as chromium
from tests.support.servers.account import onboarded
from tests.support.waiting import PATIENCE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(chromium.program() is None, reason=chromium.MISSING),
]
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202egnp.exe"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE * 1000)
        found = playwright.chromium.launch(
            executable_path=chromium.program(), args=["--no-sandbox"], timeout=PATIENCE * 1000
        )
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser, arthur: LocalArthur) -> Iterator[Page]:
    """A page that was let in, on which nothing may fail."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.goto(arthur.dashboard_link())
    yield page
    context.close()
    assert [problem for problem in problems if "ERR_CONNECTION" not in problem] == []


def send(api: Any, model_id: str, count: int, **data: Any) -> None:
    texts = {"input_text": "Human: where is my order?", "output_text": "On its way."}
    facts = {"status": "ok", "duration": 1.5, "time_to_first_token": 0.2, "prompt_tokens": 9, "model": "m"}
    rows = [{"inference_data": {**texts, **facts, "user_id": f"u{n}", **data}} for n in range(count)]
    assert {result["status"] for result in api.send(model_id, rows)} == {200}


def test_from_nothing_to_charts_that_lead_to_the_rows(page: Page, api: Any) -> None:
    assert "token=" not in page.url
    expect(page.get_by_role("heading", name="Nothing has arrived yet")).to_be_visible()
    model_id = onboarded(api.arthur)
    send(api, model_id, 5)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()  # without a reload by hand
    send(api, model_id, 2, status="error", error_type="RateLimitError", output_text="")
    tiles = page.locator(".tiles").first
    expect(tiles).to_contain_text(re.compile(r"calls\s*7"))
    expect(tiles).to_contain_text(re.compile(r"failed\s*2"))
    expect(page.locator(".chart canvas")).to_have_count(4)
    page.get_by_role("link", name="RateLimitError").first.click()
    expect(page.get_by_role("heading", name="2 calls")).to_be_visible()
    page.goto(f"{api.arthur.url}/")
    plot = page.locator(".chart .u-over").first
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**/calls?since=*&until=*")
    expect(page.get_by_role("heading", name=re.compile(r"\d calls?"))).to_be_visible()


def test_a_call_that_comes_while_the_page_loads_is_shown(page: Page, api: Any) -> None:
    model_id = onboarded(api.arthur)
    send(api, model_id, 5)
    came: list[int] = []

    def come_first(route: Route) -> None:
        if not came:
            came.append(2)
            send(api, model_id, 2)
        route.continue_()

    page.route("**/version", come_first)
    page.goto(f"{api.arthur.url}/calls")
    expect(page.get_by_role("heading", name="7 calls")).to_be_visible()
    assert came == [2]


def test_keys_and_copying_need_no_mouse(page: Page, api: Any) -> None:
    send(api, onboarded(api.arthur), 3)
    page.goto(f"{api.arthur.url}/calls")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/calls/2")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/calls/1")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the id").press("Enter")
    expect(page.get_by_role("button", name="Copy the id")).to_have_text("copied")
    identity = page.locator("code.id").first.text_content()
    assert page.evaluate("navigator.clipboard.readText()") == identity
    page.keyboard.press("/")
    page.wait_for_url("**/calls")
    page.locator("h1").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("nothing like it")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing matches.")).to_be_visible()


def test_hostile_words_are_text_on_a_phone_too(page: Page, api: Any) -> None:
    document = {
        "input_text": HOSTILE,
        "output_text": HOSTILE * 3,
        "conversation_id": HOSTILE,
        "model": HOSTILE,
    }
    send(api, onboarded(api.arthur), 1, **document)
    page.set_viewport_size({"width": 390, "height": 800})
    for path in ("/", "/calls", "/calls/1", "/traces"):
        page.goto(f"{api.arthur.url}{path}")
        expect(page.locator("#live, h1").first).to_be_attached()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        if path != "/traces":
            expect(page.get_by_text("<script>alert(1)</script>").first).to_be_attached()
            expect(page.get_by_text("\\u202egnp.exe").first).to_be_attached()
        assert page.locator("img").count() == 0


def test_the_longest_names_clip_no_table(page: Page, api: Any) -> None:
    names = ("model", "service_name", "conversation_id", "error_type", "error_message", "finish_reason")
    long = {name: f"{name}-{'w' * 90}" for name in names}
    counts = {"prompt_tokens": 1_234_567, "completion_tokens": 7_654_321}
    send(api, onboarded(api.arthur), 3, status="error", input_text="w" * 300, **counts, **long)
    for width in (1920, 1280, 768, 390):
        page.set_viewport_size({"width": width, "height": 800})
        for path in ("/", "/calls", "/calls/1", f"/conversation?id={long['conversation_id']}"):
            page.goto(f"{api.arthur.url}{path}")
            page.locator("h1").first.wait_for()
            clipped = (
                "[...document.querySelectorAll('html, .scroll')].filter(e => e.scrollWidth > e.clientWidth)"
            )
            assert page.evaluate(f"{clipped}.length") == 0, (width, path)
    page.goto(f"{api.arthur.url}/calls")
    page.get_by_role("link", name="Latency").click()  # the headings sort on a phone too
    page.wait_for_url("**/calls?sort=-duration")


def test_an_outage_is_said_and_heals(page: Page, api: Any) -> None:
    send(api, onboarded(api.arthur), 1)
    page.goto(f"{api.arthur.url}/calls")
    expect(page.locator("#live")).to_have_text("live")
    api.arthur.stop()
    expect(page.locator("#live")).to_contain_text("otel-arthur local")
    api.arthur.start()
    expect(page.locator("#live")).to_have_text("live")
