"""The Engine's API as the bridge uses it. No answer's body is kept: it may quote other people's prompts.

Source: arthur-engine 2.1.686, read and measured.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Final, cast
from urllib.parse import urlencode

import orjson

from otel_arthur.configuration import EngineConfiguration
from otel_arthur.genai.span import SpanKey
from otel_arthur.http.encoding import mapping
from otel_arthur.http.endpoint import API
from otel_arthur.http.errors import Unavailable
from otel_arthur.http.transport import Answer, Transport

ENGINE: Final = API("/api", "OTEL_EXPORTER_ARTHUR_ENGINE")
_PAGE: Final = 100
"""Ids in one question, whose address has them."""


class Forbidden(Exception):
    """The key may not ask."""


class EngineClient:
    """Requests to one Engine. Thread-safe.

    Args:
        timeout: seconds for one request.

    Raises:
        ConfigurationError: the endpoint cannot be used as given.
    """

    def __init__(self, configuration: EngineConfiguration, timeout: float) -> None:
        self._transport = Transport(
            configuration.endpoint,
            ENGINE,
            timeout=timeout,
            certificate=configuration.certificate,
            insecure=configuration.insecure,
        )
        self._headers = {"Authorization": f"Bearer {configuration.api_key}"}
        self._tasks: dict[str, str] = {}

    def send(self, body: bytes, timeout: float | None = None) -> int:
        """``POST /api/v1/traces``: the status of the answer.

        Args:
            body: an ``ExportTraceServiceRequest``, uncompressed, since the Engine takes no compression.
            timeout: seconds for this request; None for the configured ones.

        Raises:
            Unavailable: no connection, no answer in time, or the answer of something else.
        """
        answer = self._post("/v1/traces", body, "application/x-protobuf", timeout)
        if answer.status < 300 and answer.headers.get("content-type", "").startswith("text/html"):
            raise Unavailable("a web page answered in the Engine's place")
        return answer.status

    def annotate(self, trace_id: str, body: bytes, timeout: float | None = None) -> int:
        """``POST /api/v1/traces/{trace_id}/annotations``: the status of the answer. As `send`."""
        return self._post(f"/v1/traces/{trace_id}/annotations", body, "application/json", timeout).status

    def stored(self, task_id: str, spans: Iterable[SpanKey]) -> set[SpanKey]:
        """The spans that a task has, of the given ones. ``GET /api/v1/traces/spans``.

        Raises:
            Forbidden: the key may not ask.
            Unavailable: no connection, or no answer in time.
            ValueError: the answer is no answer of an Engine.
        """
        wanted = list(spans)
        found: set[SpanKey] = set()
        for start in range(0, len(wanted), _PAGE):
            part = wanted[start : start + _PAGE]
            query = [("task_ids", task_id), *(("span_ids", span_id) for _, span_id in part)]
            # A span that the Engine stored several times has several rows.
            address = f"/v1/traces/spans?{urlencode([*query, ('page_size', '5000')])}"
            answer = self._transport.request("GET", address, headers=self._headers)
            found |= {(str(row.get("trace_id")), str(row.get("span_id"))) for row in _rows(answer, "spans")}
        return found & set(wanted)

    def task_of(self, name: str) -> str | None:
        """The id of the task of this name. ``POST /api/v2/tasks/search``, which finds parts of names.

        Raises:
            As `stored`.
        """
        if name not in self._tasks:
            for row in self._search({"task_name": name}):
                if row.get("name") == name:
                    self._tasks[name] = str(row.get("id"))
        return self._tasks.get(name)

    def has_task(self, task_id: str) -> bool:
        """Whether there is a task of this id.

        Raises:
            As `stored`.
        """
        return any(row.get("id") == task_id for row in self._search({"task_ids": [task_id]}))

    def stop(self) -> None:
        """Send nothing any more: the request under way is cut, and later calls fail."""
        self._transport.stop()

    def close(self) -> None:
        self._transport.close()

    def _search(self, query: dict[str, Any]) -> list[Any]:
        path = "/v2/tasks/search?page_size=5000"
        return _rows(self._post(path, orjson.dumps(query), "application/json", None), "tasks")

    def _post(self, path: str, body: bytes, content_type: str, timeout: float | None) -> Answer:
        headers = {**self._headers, "Content-Type": content_type}
        deadline = None if timeout is None else time.monotonic() + timeout
        return self._transport.request("POST", path, body=body, headers=headers, deadline=deadline)


def _rows(answer: Answer, name: str) -> list[Any]:
    if answer.status in (401, 403):
        raise Forbidden
    if answer.status != 200:
        raise ValueError(f"the Engine answered {answer.status}")
    value = mapping(answer.json()).get(name)
    if not isinstance(value, list):
        raise ValueError("the answer is none of an Engine's")  # noqa: TRY004
    return [mapping(row) for row in cast("list[Any]", value)]
