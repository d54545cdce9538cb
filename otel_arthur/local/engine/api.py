"""The Engine's API as a client of traces uses it, over `Traces`.

Source: arthur-engine 2.1.686, read and measured. Errors are ``{"detail": "..."}``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from otel_arthur.http.encoding import mapping
from otel_arthur.local.bodies import answer, bounded, json_body
from otel_arthur.local.engine.spans import NoRequest, Poison, read_request
from otel_arthur.local.engine.traces import StoredSpan, Traces

WRITERS: Final = frozenset({"ORG-ADMIN", "TASK-ADMIN", "VALIDATION-USER", "CHAT-USER"})
"""Roles of keys that may send traces."""
READERS: Final = frozenset({"ORG-ADMIN", "TASK-ADMIN"})
"""Roles of keys that may ask which spans are stored."""
_LARGEST_PAGE: Final = 5000


class Refused(Exception):
    """An answer other than success."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


@dataclass(frozen=True, slots=True)
class EngineApi:
    """The endpoints.

    Args:
        keys: key -> role.
        seconds_a_span, seconds_a_trace: how long one request takes for each span and each trace in it; a
            real engine takes about 0.012 and 0.03.
    """

    traces: Traces
    keys: Mapping[str, str] = field(repr=False)
    seconds_a_span: float = 0.0
    seconds_a_trace: float = 0.0
    max_body_bytes: int = 32 * 1024 * 1024

    def routes(self) -> list[Route]:
        traces = "/api/v1/traces"
        return [
            Route("/v1/traces", self.receive, methods=["POST"]),
            Route(traces, self.receive, methods=["POST"]),
            self._reading(traces, self.list_traces),
            self._reading(f"{traces}/spans", self.list_spans),
            self._reading(f"{traces}/spans/{{span_id}}", self.span),
            self._reading(f"{traces}/{{trace_id}}", self.trace),
            self._reading(f"{traces}/{{trace_id}}/annotations", self.annotations),
            self._writing(f"{traces}/{{trace_id}}/annotations", self.annotate),
            self._writing("/api/v2/tasks", self.add_task),
            self._writing("/api/v2/tasks/search", self.search_tasks),
        ]

    async def receive(self, request: Request) -> Response:
        """``POST /api/v1/traces``: 200, 206 where spans were rejected, 422 where all were, 500 for poison."""
        self._admit(request, WRITERS)
        encoding = request.headers.get("content-encoding", "identity")
        content_type = request.headers.get("content-type", "")
        if encoding != "identity" or "json" in content_type:
            raise Refused(400, "Invalid protobuf message format")
        body = b"".join([part async for part in bounded(request, self.max_body_bytes)])
        if not body:
            raise Refused(400, "Field required")
        try:
            resources = await run_in_threadpool(read_request, body)
            traces = {span.trace_id for resource in resources for span in resource.spans}
            # The time passes before the rows are stored, even if the client gives up.
            spans = sum(len(resource.spans) for resource in resources)
            delay = spans * self.seconds_a_span + len(traces) * self.seconds_a_trace
            stored = await asyncio.shield(asyncio.ensure_future(self._store_after(delay, resources)))
        except NoRequest as error:
            raise Refused(400, str(error)) from None
        except Poison as error:
            raise Refused(500, str(error)) from None
        return _ingested(stored, [reason for resource in resources for reason in resource.rejected])

    def list_traces(self, request: Request) -> Response:
        """``GET /api/v1/traces?task_ids=…``, newest first."""
        count, ids = self.traces.trace_ids(_tasks_of(request), *_paging(request))
        _, spans = self.traces.spans(trace_ids=ids, limit=2**31)
        by_trace = {trace: [span for span in spans if span.trace_id == trace] for trace in ids}
        return answer({"count": count, "traces": [_trace(one) for one in by_trace.values()]})

    def list_spans(self, request: Request) -> Response:
        """``GET /api/v1/traces/spans?task_ids=…&trace_ids=…&span_ids=…``."""
        (limit, offset), query = _paging(request), request.query_params
        count, spans = self.traces.spans(
            task_ids=_tasks_of(request),
            trace_ids=query.getlist("trace_ids"),
            span_ids=query.getlist("span_ids"),
            limit=limit,
            offset=offset,
            descending=query.get("sort", "desc") == "desc",
        )
        return answer({"count": count, "spans": [_span(span) for span in spans]})

    def span(self, request: Request) -> Response:
        """``GET /api/v1/traces/spans/{span_id}``, with the attributes as they were stored."""
        span_id = request.path_params["span_id"]
        _, spans = self.traces.spans(span_ids=[span_id], limit=1)
        if not spans:
            raise Refused(404, f"Span {span_id} not found")
        return answer({**_span(spans[0]), "raw_data": {"attributes": spans[0].attributes}})

    def trace(self, request: Request) -> Response:
        """``GET /api/v1/traces/{trace_id}``, with its spans as a list."""
        trace_id = request.path_params["trace_id"]
        _, spans = self.traces.spans(trace_ids=[trace_id])
        if not spans:
            raise Refused(404, f"Trace {trace_id} not found")
        return answer({**_trace(spans), "spans": [_span(span) for span in spans]})

    def annotate(self, request: Request, given: Mapping[str, Any]) -> Response:
        """``POST /api/v1/traces/{trace_id}/annotations``; a later annotation replaces the earlier one."""
        score, description = given.get("annotation_score"), given.get("annotation_description")
        if type(score) is not int or score not in (0, 1):
            raise Refused(422, "annotation_score: Input should be 0 or 1")
        trace_id = request.path_params["trace_id"]
        if not self.traces.annotate(trace_id, score, description):
            raise Refused(404, f"Trace {trace_id} not found")
        return answer({"trace_id": trace_id, **given})

    def annotations(self, request: Request) -> Response:
        found = self.traces.annotation(request.path_params["trace_id"])
        rows = [] if found is None else [{"annotation_score": found[0], "annotation_description": found[1]}]
        return answer({"count": len(rows), "annotations": rows})

    def add_task(self, request: Request, given: Mapping[str, Any]) -> Response:
        """``POST /api/v2/tasks`` ``{"name": …}``."""
        name = given.get("name")
        if not isinstance(name, str) or not name:
            raise Refused(422, "name: Field required")
        return answer({"id": self.traces.add_task(name), "name": name})

    def search_tasks(self, request: Request, given: Mapping[str, Any]) -> Response:
        """``POST /api/v2/tasks/search`` ``{"task_name": part}``."""
        part = given.get("task_name")
        found = self.traces.tasks(part if isinstance(part, str) else "")
        limit, offset = _paging(request)
        tasks = [{"id": task, "name": name} for task, name in found]
        return answer({"count": len(tasks), "tasks": tasks[offset : offset + limit]})

    async def _store_after(self, seconds: float, resources: Any) -> int:
        await asyncio.sleep(seconds)
        return await run_in_threadpool(self.traces.add, resources)

    def _reading(self, path: str, endpoint: Callable[[Request], Response]) -> Route:
        def read(request: Request) -> Response:
            self._admit(request, READERS)
            return endpoint(request)

        return Route(path, read, methods=["GET"])

    def _writing(self, path: str, endpoint: Callable[[Request, Mapping[str, Any]], Response]) -> Route:
        async def write(request: Request) -> Response:
            self._admit(request, READERS)
            body = await json_body(request, self.max_body_bytes)
            return await run_in_threadpool(endpoint, request, mapping(body))

        return Route(path, write, methods=["POST"])

    def _admit(self, request: Request, roles: frozenset[str]) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        role = self.keys.get(key) if scheme.lower() == "bearer" else None
        if role is None:
            raise Refused(401, "Authentication required")
        if role not in roles:
            raise Refused(403, "You do not have the required permissions")


async def engine_refusal(_: Request, error: Exception) -> Response:
    """The answer to a request that an endpoint has `Refused`."""
    return answer({"detail": str(error)}, getattr(error, "status", 500))


def _ingested(accepted: int, reasons: list[str]) -> Response:
    status, code = (
        ("success", 200) if not reasons else ("partial_success", 206) if accepted else ("failure", 422)
    )
    content = {
        "total_spans": accepted + len(reasons),
        "accepted_spans": accepted,
        "rejected_spans": len(reasons),
        "rejection_reasons": reasons,
        "status": status,
    }
    return answer(content, code)


def _tasks_of(request: Request) -> list[str]:
    task_ids = request.query_params.getlist("task_ids")
    if not task_ids:
        raise Refused(422, "task_ids: Field required")
    return task_ids


def _paging(request: Request) -> tuple[int, int]:
    """Limit and offset of ``page`` (from 0) and ``page_size`` (10 by default)."""
    query = request.query_params
    try:
        page, size = int(query.get("page", "0")), int(query.get("page_size", "10"))
    except ValueError:
        page = size = -1
    if page < 0 or not 0 < size <= _LARGEST_PAGE:
        raise Refused(400, f"page_size must be from 1 to {_LARGEST_PAGE}, page at least 0")
    return size, page * size


def _span(span: StoredSpan) -> dict[str, Any]:
    return {
        "id": str(span.number),
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "span_kind": span.kind,
        "span_name": span.name,
        "start_time": _time(span.start_ns),
        "end_time": _time(span.end_ns),
        "duration_ms": (span.end_ns - span.start_ns) / 1e6,
        "task_id": span.task_id,
        "session_id": span.attributes.get("session.id"),
        "user_id": span.attributes.get("user.id"),
        "status_code": span.status,
        "prompt_token_count": span.prompt_tokens,
        "completion_token_count": span.completion_tokens,
        "total_token_count": span.total_tokens,
        "input_content": span.attributes.get("input.value"),
        "output_content": span.attributes.get("output.value"),
    }


def _trace(spans: list[StoredSpan]) -> dict[str, Any]:
    """A trace's summary: its input and output are those of the root, and of no other span."""
    root = next((span for span in spans if span.parent_span_id is None), None)

    def total(counts: list[int | None]) -> int | None:
        known = [count for count in counts if count is not None]
        return sum(known) if known else None

    def first(key: str) -> Any:
        return next((span.attributes[key] for span in spans if span.attributes.get(key)), None)

    begin, end = min(span.start_ns for span in spans), max(span.end_ns for span in spans)
    return {
        "trace_id": spans[0].trace_id,
        "task_id": spans[0].task_id,
        "span_count": len(spans),
        "start_time": _time(begin),
        "end_time": _time(end),
        "duration_ms": (end - begin) / 1e6,
        "session_id": first("session.id"),
        "user_id": first("user.id"),
        "input_content": root.attributes.get("input.value") if root else None,
        "output_content": root.attributes.get("output.value") if root else None,
        "prompt_token_count": total([span.prompt_tokens for span in spans]),
        "completion_token_count": total([span.completion_tokens for span in spans]),
        "total_token_count": total([span.total_tokens for span in spans]),
    }


def _time(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds / 1e9, timezone.utc).isoformat()
