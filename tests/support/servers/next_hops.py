"""What comes behind the collector: real OTLP servers that keep what they got and answer as they are told."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc

from tests.support.spans.otlp_requests import METHODS
from tests.support.waiting import PATIENCE


@dataclass
class Got:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes
    metadata: list[tuple[str, Any]] = field(default_factory=list)


class HTTPServerBehind:
    """An HTTP server; `answer` gives status, headers and body for each request."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.got: list[Got] = []
        self.answer: Callable[[Got], tuple[int, dict[str, str], bytes]] = lambda _got: (
            200,
            {"Content-Type": "application/x-protobuf"},
            b"",
        )
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length")
                body = self.rfile.read(int(length)) if length else self._chunks()
                headers = {name.lower(): value for name, value in self.headers.items()}
                got = Got(self.path, headers, body)
                outer.got.append(got)
                status, answered, content = outer.answer(got)
                self.send_response(status)
                for name, value in answered.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def _chunks(self) -> bytes:
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                return body

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        scheme = "http" if context is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> HTTPServerBehind:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)


class GRPCServerBehind:
    """A gRPC server; `answer` gives the response's bytes, or aborts on the context."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answer: Callable[[bytes, grpc.ServicerContext], bytes] = lambda _body, _context: b""
        self._executor = ThreadPoolExecutor(8)
        self._server = grpc.server(self._executor, options=[("grpc.max_receive_message_length", -1)])
        for method in METHODS.values():
            service = method.split("/")[1]
            handlers = {"Export": grpc.unary_unary_rpc_method_handler(self._handler(method))}
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        self.url = f"grpc://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def _handler(self, method: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        def export(body: bytes, context: grpc.ServicerContext) -> bytes:
            metadata = list(context.invocation_metadata())
            headers = {key: value for key, value in metadata if isinstance(value, str)}
            self.got.append(Got(method, headers, body, metadata))
            return self.answer(body, context)

        return export

    def __enter__(self) -> GRPCServerBehind:
        self._server.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.stop(1).wait()
        self._executor.shutdown()
