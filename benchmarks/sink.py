"""A server that answers as an OTLP receiver and as Arthur do, and does nothing else.

In a process of its own, so that a benchmark's CPU time is the client's alone.
"""

from __future__ import annotations

import json
import multiprocessing
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TEXT = "UNSTRUCTURED_TEXT"
MODEL = {
    "id": "bench",
    "status": "Ready",
    "attributes": [
        {"name": "input_text", "value_type": TEXT, "stage": "PIPELINE_INPUT"},
        {"name": "output_text", "value_type": TEXT, "stage": "PREDICTED_VALUE"},
        {"name": "prompt_tokens", "value_type": "INTEGER", "stage": "NON_INPUT_DATA"},
        {"name": "completion_tokens", "value_type": "INTEGER", "stage": "NON_INPUT_DATA"},
        {"name": "finish_reason", "value_type": "STRING", "stage": "NON_INPUT_DATA"},
        {"name": "duration", "value_type": "FLOAT", "stage": "NON_INPUT_DATA"},
        {"name": "model", "value_type": "STRING", "stage": "NON_INPUT_DATA"},
        {"name": "provider", "value_type": "STRING", "stage": "NON_INPUT_DATA"},
        {"name": "status", "value_type": "STRING", "stage": "NON_INPUT_DATA"},
        {"name": "service_name", "value_type": "STRING", "stage": "NON_INPUT_DATA"},
    ],
}


_OUTAGE_SECONDS = 3.0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hang: Any = None
    fails_every = 0.0

    def do_GET(self) -> None:
        body = {"organization_id": "o"} if self.path.endswith("/users/me") else MODEL
        self._answer(200, json.dumps(body).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.hang is not None and self.path.endswith("/inferences"):
            self.hang.wait()
        if self.fails_every and self.path.endswith("/inferences"):
            cycle, since = divmod(time.monotonic(), self.fails_every)
            if since < _OUTAGE_SECONDS:
                # Taken and not said, or not there: by turns.
                self._answer(503, b"{}") if cycle % 2 else self.connection.shutdown(socket.SHUT_RDWR)
                return
        if self.path.endswith("/v1/traces"):
            self._answer(200, b"")
            return
        rows = body.count(b'"partner_inference_id":')
        results = ",".join(['{"message":"success","status":200}'] * rows)
        counts = f'{{"success":{rows},"failure":0,"total":{rows}}}'
        self._answer(207, f'{{"counts":{counts},"results":[{results}]}}'.encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass


def _serve(ports: Any, hangs: bool, fails_every: float) -> None:
    _Handler.fails_every = fails_every
    if hangs:
        _Handler.hang = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    ports.send(server.server_address[1])
    server.serve_forever()


def _serve_grpc(ports: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    import grpc

    class Handler(grpc.GenericRpcHandler):
        """Any method: an empty message, as a receiver's that took everything."""

        def service(self, _details: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(lambda _request, _context: b"")

    options = [("grpc.max_receive_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(2), handlers=[Handler()], options=options)
    ports.send(server.add_insecure_port("127.0.0.1:0"))
    server.start()
    server.wait_for_termination()


class GRPCSink:
    """``with GRPCSink() as sink``: OTLP over gRPC goes to ``sink.address``."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        receiving, sending = context.Pipe(duplex=False)
        self._process = context.Process(target=_serve_grpc, args=(sending,), daemon=True)
        self._process.start()
        sending.close()  # if the process dies before it listens, `recv` says so
        self.address = f"127.0.0.1:{receiving.recv()}"

    def __enter__(self) -> GRPCSink:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.join()


class Sink:
    """``with Sink() as sink``: both kinds of requests go to ``sink.url``.

    Args:
        hangs: never answer a request that sends inferences.
        fails_every: seconds; each time they are over, such requests fail for a while.
    """

    def __init__(self, *, hangs: bool = False, fails_every: float = 0.0) -> None:
        context = multiprocessing.get_context("spawn")
        receiving, sending = context.Pipe(duplex=False)
        self._process = context.Process(target=_serve, args=(sending, hangs, fails_every), daemon=True)
        self._process.start()
        sending.close()  # if the process dies before it listens, `recv` says so
        self.url = f"http://127.0.0.1:{receiving.recv()}"

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.join()
