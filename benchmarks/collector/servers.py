"""Which server costs least under an OTLP receiver: requests per CPU second, each server alone in a process.

Each server does the same work: read the body, parse it with upb, answer two bytes. One client in this
process drives all of them over eight kept-alive connections; only the server's CPU time counts. Run it
in an environment that has the candidates:

    pip install aiohttp uvloop httptools uvicorn granian grpcio opentelemetry-proto
    python benchmarks/collector/servers.py
"""

from __future__ import annotations

import asyncio
import http.server
import multiprocessing
import os
import resource
import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

REQUESTS = 4000
CONNECTIONS = 8
ROUNDS = 3


def payload(spans: int = 100) -> bytes:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number in range(spans):
        span = scope.spans.add(name=f"GET /{number}", trace_id=os.urandom(16), span_id=os.urandom(8))
        for key in range(8):
            span.attributes.add(key=f"http.attribute.{key}").value.string_value = "value" * 4
    return request.SerializeToString()


def handle(body: bytes) -> bytes:
    ExportTraceServiceRequest.FromString(body)
    return b""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


async def asgi(scope, receive, send) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": handle(body)})


def uvicorn_h11(port: int) -> None:
    import uvicorn

    uvicorn.run(asgi, port=port, log_level="error", http="h11", loop="asyncio", access_log=False)


def uvicorn_httptools(port: int) -> None:
    import uvicorn

    uvicorn.run(asgi, port=port, log_level="error", http="httptools", loop="uvloop", access_log=False)


def granian_asgi(port: int) -> None:
    from granian.constants import Interfaces
    from granian.server.embed import Server

    asyncio.run(Server(asgi, port=port, interface=Interfaces.ASGI).serve())


def aiohttp_asyncio(port: int) -> None:
    from aiohttp import web

    async def export(request: web.Request) -> web.Response:
        return web.Response(body=handle(await request.read()))

    app = web.Application(client_max_size=64 << 20)
    app.router.add_post("/v1/traces", export)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


def aiohttp_uvloop(port: int) -> None:
    import uvloop

    asyncio.set_event_loop(uvloop.new_event_loop())
    from aiohttp import web

    async def export(request: web.Request) -> web.Response:
        return web.Response(body=handle(await request.read()))

    app = web.Application(client_max_size=64 << 20)
    app.router.add_post("/v1/traces", export)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None, loop=uvloop.new_event_loop())


def http_server_threads(port: int) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            handle(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def _client(port: int, body: bytes, count: int) -> None:
    head = "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
    message = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            sock.sendall(message)
            answer = b""
            while b"\r\n\r\n" not in answer:
                part = sock.recv(4096)
                if not part:
                    raise ConnectionError
                answer += part


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_http(server: Callable[[int], None], body: bytes) -> float:
    port = free_port()
    process = multiprocessing.get_context("fork").Process(target=server, args=(port,), daemon=True)
    process.start()
    deadline = time.monotonic() + 10
    while True:
        try:
            _client(port, body, 20)
            break
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    assert process.pid is not None
    before = cpu_seconds(process.pid)
    threads = [
        threading.Thread(target=_client, args=(port, body, REQUESTS // CONNECTIONS))
        for _ in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    used = cpu_seconds(process.pid) - before
    process.terminate()
    process.join()
    return REQUESTS / used


def _grpc_server(kind: str, pipe) -> None:
    import grpc

    def unary(_request: bytes, _context: object) -> bytes:
        return handle(_request)

    async def aio_unary(request: bytes, _context: object) -> bytes:
        return handle(request)

    async def aio_stream(messages, _context: object) -> bytes:
        async for message in messages:
            return handle(message)
        return b""

    def handlers(method):
        return grpc.method_handlers_generic_handler("Trace", {"Export": method})

    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime

    if kind == "grpc threads":
        from concurrent.futures import ThreadPoolExecutor

        server = grpc.server(ThreadPoolExecutor(8))
        server.add_generic_rpc_handlers((handlers(grpc.unary_unary_rpc_method_handler(unary)),))
        pipe.send(server.add_insecure_port("127.0.0.1:0"))
        server.start()
        pipe.recv()
        pipe.send(spent())
        pipe.recv()
        pipe.send(spent())
        return

    async def serve() -> None:
        aio = grpc.aio.server()
        method = (
            grpc.unary_unary_rpc_method_handler(aio_unary)
            if kind == "grpc.aio"
            else grpc.stream_unary_rpc_method_handler(aio_stream)
        )
        aio.add_generic_rpc_handlers((handlers(method),))
        pipe.send(aio.add_insecure_port("127.0.0.1:0"))
        await aio.start()
        loop = asyncio.get_running_loop()
        for _ in range(2):
            await loop.run_in_executor(None, pipe.recv)
            pipe.send(spent())

    asyncio.run(serve())


def measure_grpc(kind: str, body: bytes) -> float:
    parent, child = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_grpc_server, args=(kind, child), daemon=True
    )
    process.start()
    port = parent.recv()
    drive = multiprocessing.get_context("spawn").Process(target=_grpc_client, args=(port, body, 100))
    drive.start()
    drive.join()
    parent.send(0)
    before = parent.recv()
    drive = multiprocessing.get_context("spawn").Process(
        target=_grpc_client, args=(port, body, REQUESTS // 8)
    )
    drive.start()
    drive.join()
    parent.send(0)
    used = parent.recv() - before
    process.terminate()
    process.join()
    return REQUESTS / used


def _grpc_client(port: int, body: bytes, count: int) -> None:
    import grpc

    def run() -> None:
        with grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.use_local_subchannel_pool", 1)]) as channel:
            call = channel.unary_unary("/Trace/Export")
            for _ in range(count):
                call(body)

    threads = [threading.Thread(target=run) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


HTTP = [uvicorn_h11, uvicorn_httptools, granian_asgi, aiohttp_asyncio, aiohttp_uvloop, http_server_threads]
GRPC = ["grpc threads", "grpc.aio", "grpc.aio, message read by the handler"]

if __name__ == "__main__":
    content = payload()
    print(f"{len(content)} bytes a request, 100 spans; requests per CPU second, median of {ROUNDS}")
    results: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for server in HTTP:
            try:
                results.setdefault(server.__name__, []).append(measure_http(server, content))
            except (OSError, ImportError) as error:
                print(server.__name__, "not measured:", error, file=sys.stderr)
        for kind in GRPC:
            results.setdefault(kind, []).append(measure_grpc(kind, content))
    for name, rates in results.items():
        if rates:
            print(f"{name:40} {statistics.median(rates):8.0f}")
