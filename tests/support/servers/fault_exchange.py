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
        """The rows of a request that sends inferences or ground truth, else nothing."""
        value = self.json if self.path.partition("?")[0].endswith("/inferences") else None
        return value if isinstance(value, list) else []

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
