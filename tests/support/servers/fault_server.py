"""A stand-in for Arthur and for the Engine over real sockets that fails in the ways it is told to.

    with FaultServer() as server:
        server.script(status(503), lose_answer())       # the next two requests that send rows
        server.always(status(503), on="/users/me")      # until server.always(None, on="/users/me")
        ...
        assert server.accepted_ids == ["a", "a"]        # each time a row was taken, in order

Without a script it accepts: any key, any model id, every row. ``stop`` and ``start`` again keep the
port: an outage. Behaviours are in ``fault_behaviours``; here is what they are served by.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

from tests.support.servers.fault_behaviours import accept
from tests.support.servers.fault_exchange import JSON, Behaviour, Exchange, Request
from tests.support.servers.ports import free_port
from tests.support.waiting import PATIENCE

ROWS = ("/inferences", "/v1/traces")
"""The path's end of the requests that send rows: what a script is for, unless it says otherwise."""

ORGANIZATION = "22222222-2222-2222-2222-222222222222"
_TEXT, _LINKED = "UNSTRUCTURED_TEXT", {"categorical": True, "is_unique": False, "implicit": False}
MODEL_ID = "33333333-3333-3333-3333-333333333333"
MODEL: JSON = {
    "id": MODEL_ID,
    "partner_model_id": "fault-model",
    "display_name": "Fault model",
    "input_type": "NLP",
    "output_type": "TOKEN_SEQUENCE",
    "status": "Ready",
    "attributes": [
        {"name": "input_text", "value_type": _TEXT, "stage": "PIPELINE_INPUT", "position": 0, **_LINKED},
        {"name": "output_text", "value_type": _TEXT, "stage": "PREDICTED_VALUE", "position": 0, **_LINKED},
        {"name": "prompt_tokens", "value_type": "INTEGER", "stage": "NON_INPUT_DATA", "implicit": False},
        {"name": "completion_tokens", "value_type": "INTEGER", "stage": "NON_INPUT_DATA", "implicit": False},
        {"name": "finish_reason", "value_type": "STRING", "stage": "NON_INPUT_DATA", "implicit": False},
        {"name": "duration", "value_type": "FLOAT", "stage": "NON_INPUT_DATA", "implicit": False},
    ],
}


class FaultServer:
    """See the module. `tls` is a context with a certificate: then the address is ``https://``."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.host = host
        self.port = free_port()
        self.requests: list[Request] = []
        """Every request whose head arrived, in order of arrival."""
        self.accepted_rows: list[JSON] = []
        """Every row each time it was taken, acknowledged or not."""
        self.connections = 0
        self.model: JSON = MODEL
        """What is answered for any model id (with that id)."""
        self._tls = tls
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._scripts: dict[str | tuple[str, ...], deque[Behaviour]] = {}
        self._standing: dict[str | tuple[str, ...], Behaviour] = {}
        self._stopping = threading.Event()
        self._listener: socket.socket | None = None
        self._threads: list[threading.Thread] = []
        self._sockets: set[socket.socket] = set()

    def __enter__(self) -> FaultServer:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self.host}:{self.port}"

    @property
    def accepted_ids(self) -> list[str]:
        with self._lock:
            return [row.get("partner_inference_id", "") for row in self.accepted_rows]

    @property
    def sends(self) -> list[Request]:
        """The requests that sent rows."""
        with self._lock:
            return [request for request in self.requests if _matches(request, ROWS)]

    def script(self, *behaviours: Behaviour, on: str | tuple[str, ...] = ROWS) -> None:
        """The next requests whose path (without query) ends with `on` get these, one each; "" is any."""
        with self._lock:
            self._scripts.setdefault(on, deque()).extend(behaviours)

    def always(self, behaviour: Behaviour | None, on: str | tuple[str, ...] = ROWS) -> None:
        """What such requests get when no script is left; None is accepting again."""
        with self._lock:
            if behaviour is None:
                self._standing.pop(on, None)
            else:
                self._standing[on] = behaviour

    def wait_for(self, count: int, timeout: float = PATIENCE) -> bool:
        """Wait until `count` rows were taken (repeats count); False if that did not come."""
        with self._arrived:
            return self._arrived.wait_for(lambda: len(self.accepted_rows) >= count, timeout)

    def wait_for_requests(self, count: int, timeout: float = PATIENCE) -> bool:
        """Wait until `count` requests of any kind arrived."""
        with self._arrived:
            return self._arrived.wait_for(lambda: len(self.requests) >= count, timeout)

    def start(self) -> None:
        """Listen, always on the same port."""
        self._stopping.clear()
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.host, self.port))
        listener.listen(128)
        self._listener = listener
        self._spawn(self._listen, listener)

    def stop(self) -> None:
        """Close everything: connections in use are cut, later ones refused."""
        self._stopping.set()
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        with self._lock:
            sockets = list(self._sockets)
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
        self._threads.clear()

    def mend(self, tls: ssl.SSLContext) -> None:
        """Show another certificate, on the same port: the next connections see it."""
        self.stop()
        self._tls = tls
        self.start()

    def _spawn(self, target: Any, sock: socket.socket) -> None:
        thread = threading.Thread(target=target, args=(sock,), name="fault-server", daemon=True)
        self._threads = [other for other in self._threads if other.is_alive()]
        self._threads.append(thread)
        thread.start()

    def _listen(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._sockets.add(sock)
            self._spawn(self._serve, sock)

    def _serve(self, plain: socket.socket) -> None:
        sock = plain
        try:
            sock.settimeout(PATIENCE)
            if self._tls is not None:
                sock = self._tls.wrap_socket(plain, server_side=True)
                with self._lock:
                    self._sockets.discard(plain)
                    self._sockets.add(sock)
            self._exchanges(sock)
        except (OSError, ValueError):
            pass  # The client went away, which is its right, or it hung up on the certificate.
        finally:
            with self._lock:
                self._sockets -= {plain, sock}
            sock.close()
            plain.close()

    def _exchanges(self, sock: socket.socket) -> None:
        rest = b""
        while not self._stopping.is_set():
            while b"\r\n\r\n" not in rest:
                chunk = sock.recv(65536)
                if not chunk:
                    return
                rest += chunk
            head, _, rest = rest.partition(b"\r\n\r\n")
            request = _parse(head)
            behaviour = self._arrive(request)
            exchange = Exchange(sock, request, self._stopping, rest, self._accept, self._ordinary)
            behaviour(exchange)
            if not exchange.is_open:
                return
            rest = exchange.rest

    def _arrive(self, request: Request) -> Behaviour:
        with self._arrived:
            self.requests.append(request)
            behaviour = self._choose(request)
            request.behaviour = behaviour.__qualname__.partition(".")[0]
            self._arrived.notify_all()
            return behaviour

    def _choose(self, request: Request) -> Behaviour:
        for on, queue in self._scripts.items():
            if queue and _matches(request, on):
                return queue.popleft()
        return next((b for on, b in self._standing.items() if _matches(request, on)), accept())

    def _accept(self, rows: Sequence[JSON]) -> None:
        with self._arrived:
            self.accepted_rows.extend(rows)
            self._arrived.notify_all()

    def _ordinary(self, request: Request) -> tuple[int, JSON, dict[str, str]]:
        path = request.path.partition("?")[0].removeprefix("/api/v3")
        if path == "/api/v1/traces/spans":
            return 200, self._stored(request), {}
        if path == "/api/v2/tasks/search":
            return 200, {"count": 1, "tasks": [{"id": "t", "name": request.json["task_name"]}]}, {}
        if path == "/login":
            return 200, {"id": "user"}, {"Set-Cookie": "Authorization=token-from-login; Path=/; HttpOnly"}
        if path == "/users/me":
            return 200, {"organization_id": ORGANIZATION, "login": "me"}, {}
        if path.endswith("/inferences/query"):
            with self._lock:
                count = len({row.get("partner_inference_id") for row in self.accepted_rows})
            return 200, {"query_result": [{"count": count}]}, {}
        if path == "/models" and request.method == "GET":
            return 200, {"data": [self.model], "page": 1, "page_size": 1, "total_count": 1}, {}
        if path == "/models":
            return 201, {**request.json, "id": MODEL["id"], "status": "Ready"}, {}
        if path.startswith("/models/"):
            return 200, {**self.model, "id": path.split("/")[2]}, {}
        return 404, {"error": f"no such path {path}"}, {}

    def _stored(self, request: Request) -> JSON:
        wanted = parse_qs(request.path.partition("?")[2]).get("span_ids", [])
        ids = [one.split("-") for one in self.accepted_ids]
        spans = [{"trace_id": trace, "span_id": span} for trace, span in ids if span in wanted]
        return {"count": len(spans), "spans": spans}


def _matches(request: Request, on: str | tuple[str, ...]) -> bool:
    return request.path.partition("?")[0].endswith(on)


def _parse(head: bytes) -> Request:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    return Request(method, path, {name.strip().lower(): value.strip() for name, _, value in pairs})
