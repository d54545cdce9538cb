"""A thin reverse proxy that keeps a record of each model call which passed through it.

It stands in front of the demo's own model, or of the real service, and streams through: an event
goes on as soon as it is whole. A call is on record before the last byte of its answer leaves, so
whoever has an answer finds it in ``GET /calls``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from typing import Any

import requests
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from otel_arthur.demo.served_call import GENERATING_PATHS, ServedCall, from_body, from_events, object_of
from otel_arthur.local.bodies import answer

_UPSTREAM_TIMEOUT = (10.0, 120.0)
"""Seconds to connect, and between two pieces of an answer."""

_FORWARDED_REQUEST_HEADERS = ("authorization", "content-type", "openai-organization", "openai-project")
_FORWARDED_RESPONSE_HEADERS = ("content-type", "retry-after", "x-request-id")


def recording_proxy(upstream: str, *, models: Collection[str] = ()) -> Starlette:
    """An application that forwards ``/v1/...`` to ``upstream`` (a base URL that ends in ``/v1``).

    With ``models``, a call that names another model is answered 404 here, in OpenAI's words.
    """
    calls: list[ServedCall] = []
    lock = threading.Lock()
    session = requests.Session()
    # The proxy is given its upstream; what the environment says of proxies is for other traffic,
    # except where the upstream is the real service behind a company's proxy.
    session.trust_env = not upstream.startswith("http://127.0.0.1")

    def record(call: ServedCall) -> None:
        with lock:
            calls.append(call)

    def list_calls(_: Request) -> Response:
        with lock:
            return answer([call.to_json() for call in calls])

    def forward(method: str, path: str, headers: dict[str, str], body: bytes) -> Response:
        asked = object_of(body) or {}
        counted = method == "POST" and path in GENERATING_PATHS
        model = str(asked.get("model", ""))
        if counted and models and model not in models:
            record(ServedCall(path, model, 404, streamed=bool(asked.get("stream"))))
            return answer(_model_not_found(model), 404)
        try:
            found = session.request(
                method,
                f"{upstream.rstrip('/')}/{path}",
                data=body,
                headers=headers,
                stream=True,
                timeout=_UPSTREAM_TIMEOUT,
            )
            if found.headers.get("content-type", "").startswith("text/event-stream"):
                events = _stream(path, asked, found, record if counted else lambda _call: None)
                return StreamingResponse(events, found.status_code, _kept_headers(found))
            content = found.content
        except requests.RequestException as error:
            if counted:
                record(ServedCall(path, model, 502, streamed=bool(asked.get("stream")), complete=False))
            fault = {"message": f"{type(error).__name__} from the model", "code": None}
            return answer({"error": fault}, 502)
        if counted:
            record(from_body(path, asked, found.status_code, content))
        return Response(content, found.status_code, _kept_headers(found))

    async def forward_request(request: Request) -> Response:
        headers = {
            name: request.headers[name] for name in _FORWARDED_REQUEST_HEADERS if name in request.headers
        }
        path = request.path_params["path"]
        return await run_in_threadpool(forward, request.method, path, headers, await request.body())

    return Starlette(
        routes=[
            Route("/calls", list_calls),
            Route("/v1/{path:path}", forward_request, methods=["GET", "POST"]),
        ]
    )


def _stream(
    path: str, asked: dict[str, Any], answer: requests.Response, record: Callable[[ServedCall], None]
) -> Iterator[bytes]:
    """Pass server-sent events on one by one and record the call before its last one."""
    payloads: list[bytes] = []
    complete = is_recorded = False
    try:
        event: list[bytes] = []
        for line in answer.iter_lines(chunk_size=None):
            event.append(line)
            if line.startswith(b"data: "):
                payload = line[len(b"data: ") :]
                payloads.append(payload)
                complete = payload == b"[DONE]" or b'"type":"response.completed"' in payload.replace(
                    b" ", b""
                )
            if line == b"":
                if complete and not is_recorded:
                    is_recorded = True
                    record(from_events(path, asked, payloads, complete=True))
                yield b"\n".join([*event, b""])
                event = []
    finally:
        if not is_recorded:  # the client hung up, or the model broke off
            record(from_events(path, asked, payloads, complete=complete))
        answer.close()


def _kept_headers(answer: requests.Response) -> dict[str, str]:
    return {name: answer.headers[name] for name in _FORWARDED_RESPONSE_HEADERS if name in answer.headers}


def _model_not_found(model: str) -> dict[str, Any]:
    return {
        "error": {
            "message": f"The model `{model}` does not exist or you do not have access to it.",
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_found",
        }
    }
