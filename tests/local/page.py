"""A page of the dashboard as a browser would find it, and what pages are made of."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from otel_arthur.local.engine.spans import ReceivedSpan
from tests.support.waiting import PATIENCE

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "</bdi></pre></textarea></title><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "' onmouseover='alert(1)",
    "\u202egnp.exe\x00\x1b[31m",
]


TRACE = "a" * 32


def span(span_id: str, parent: str | None, kind: str, name: str, **attributes: Any) -> ReceivedSpan:
    is_call = kind == "LLM"
    return ReceivedSpan(
        trace_id=TRACE,
        span_id=span_id,
        parent_span_id=parent,
        kind=kind,
        name=name,
        start_ns=1,
        end_ns=2 * 10**9,
        status="Ok",
        attributes=attributes,
        prompt_tokens=3 if is_call else None,
        completion_tokens=5 if is_call else None,
        total_tokens=8 if is_call else None,
    )


class Page(HTMLParser):
    """Tags, attributes and text of a page, as a browser would find them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data

    def links(self) -> list[str]:
        return [value or "" for name, value in self.attributes if name == "href"]


def page(api: Any, path: str, status: int = 200, **parameters: Any) -> Page:
    response = api.session.get(
        api.arthur.url + path,
        params=parameters,
        headers={"Authorization": None},
        auth=("any", api.arthur.api_key),
        timeout=PATIENCE,
    )
    assert response.status_code == status
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    found = Page(response.text)
    assert "for development and tests" in found.text
    return found


def calls_on(found: Page) -> list[str]:
    """The links to calls, in order."""
    return [link for link in found.links() if link.startswith("/calls/")]
