"""One request as a `FaultServer` sees it, and its connection."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

JSON = dict[str, Any]


HTML = b"<!doctype html><html><title>Sign in</title><body>Please sign in to the corporate proxy</body></html>"


@dataclass(slots=True)
class Request:
    """One request as the server saw it."""

    method: str
    path: str
    """With the query."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""
    """Decompressed; empty where a behaviour never read it."""
    behaviour: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    @property
    def rows(self) -> list[JSON]:
        """The rows of a request that sends inferences, ground truth or spans, else nothing."""
        if self.is_of_spans:
            return [
                {"partner_inference_id": f"{span.trace_id.hex()}-{span.span_id.hex()}", "name": span.name}
                for resource in ExportTraceServiceRequest.FromString(self.body).resource_spans
                for scope in resource.scope_spans
                for span in scope.spans
            ]
        value = self.json if self.path.partition("?")[0].endswith("/inferences") else None
        return value if isinstance(value, list) else []

    @property
    def is_of_spans(self) -> bool:
        """Whether the Engine's face is spoken to, and gets spans."""
        return self.method == "POST" and self.path.endswith("/v1/traces")

    @property
    def ids(self) -> list[str]:
        return [row.get("partner_inference_id", "") for row in self.rows]


@dataclass(slots=True)
class Exchange:
    """One request on its connection. `read_body` first, unless not reading it is the fault."""

    sock: socket.socket
    request: Request
    stopping: threading.Event
    """Set when the server stops: what waits, waits on it."""
    rest: bytes
    """What of the body came with the head."""
    accepted: Callable[[Sequence[JSON]], None]
    """Told of the rows that Arthur now has."""
    ordinary: Callable[[Request], tuple[int, JSON, dict[str, str]]]
    """What Arthur answers to calls that send no rows."""
    is_open: bool = field(default=True)

    def read_body(self) -> None:
        length = int(self.request.headers.get("content-length", "0"))
        while len(self.rest) < length:
            chunk = self.sock.recv(65536)
            if not chunk:
                raise ConnectionError("the client left")
            self.rest += chunk
        body, self.rest = self.rest[:length], self.rest[length:]
        if self.request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.request.body = body

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.sock.sendall(self.head(status, len(body), headers) + body)

    def answer_json(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        self.answer(
            status, json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})}
        )

    def head(self, status: int, length: int, headers: Mapping[str, str] | None = None) -> bytes:
        known = {item.value: item.phrase for item in HTTPStatus}
        lines = [f"HTTP/1.1 {status} {known.get(status, 'Unknown')}", f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        self.is_open = False
        self.sock.close()


Behaviour = Callable[[Exchange], None]
