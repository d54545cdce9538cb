"""A small real HTTP server that speaks OpenAI's API, for tests.

    with OpenAIServer() as server:
        ChatOpenAI(base_url=server.base_url, api_key="test", model="gpt-4o-mini").invoke("ECHO a1")
        assert server.calls[0].texts == ("a1",)

Chat completions, legacy completions, responses and embeddings, Anthropic's messages and Gemini's, streamed
or not; what is answered follows from the last user message alone (``openai_answers``). ``calls`` is the
independent count that tests compare against: an entry is appended before the first byte of its answer
is sent, so a client that has an answer finds it there. Also:
``python -m tests.support.servers.providers.openai_server [PORT]``.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import sys
import threading
import uuid
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.servers.providers.gemini_wire import GEMINI, asked_of_gemini, gemini_error
from tests.support.servers.providers.openai_answers import Answer, answer_to, text_of, user_text_and_tool
from tests.support.servers.providers.openai_calls import ENDPOINTS, JSON, Call, Endpoint
from tests.support.servers.providers.openai_wire import embeddings_body
from tests.support.waiting import PATIENCE


def _name_of(tool: JSON) -> str:
    """A tool's name, which Chat Completions nests; a provider's own tool may have a type alone."""
    return str((tool.get("function") or tool).get("name") or tool.get("type"))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _HTTPServer
    # One write per response: no delayed acknowledgement between header and body.
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:
        """Silence: tests own stderr."""

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            self._json(200, {"object": "list", "data": [{"id": "gpt-4o-mini", "object": "model"}]})
        else:
            self._error(404, "no such path")

    def do_POST(self) -> None:
        request = json.loads(self._body() or b"{}")
        if (asked := asked_of_gemini(self.path, request)) is not None:
            self.path, request = GEMINI, asked
        if self.path == "/v1/embeddings":
            self.server.record(Call(self.path, request, 200))
            self._json(200, embeddings_body(request))
        elif endpoint := ENDPOINTS.get(self.path):
            self._generate(endpoint, request)
        else:
            self._error(404, "no such path")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _generate(self, endpoint: Endpoint, request: JSON) -> None:
        user_text, after_tool = user_text_and_tool(endpoint.messages(request))
        limit = next(
            (
                request[key]
                for key in ("max_completion_tokens", "max_tokens", "max_output_tokens")
                if request.get(key)
            ),
            None,
        )
        answer = answer_to(
            user_text,
            tools=[_name_of(tool) for tool in request.get("tools") or ()],
            after_tool=after_tool,
            n=int(request.get("n") or 1),
            max_tokens=limit,
        )
        status = answer.status
        if re.search("no-such|misspelt", str(request.get("model"))):
            status = 404
        elif self.server.seen(user_text) <= answer.flaky:
            status = 503
        self.server.stopping.wait(PATIENCE if user_text == self.server.held else answer.delay)
        if status != 200:
            self.server.record(
                Call(self.path, request, status, streamed=bool(request.get("stream")), complete=False)
            )
            self._error(status, f"the script says {status}")
            return
        streamed = bool(request.get("stream"))
        response_id = endpoint.id_prefix + uuid.uuid4().hex
        broken = answer.disconnect or (answer.stream_error and streamed)
        self.server.record(
            Call(
                self.path,
                request,
                200,
                response_id,
                answer.texts,
                answer.tool_calls,
                answer.reasoning,
                answer.cache_written,
                answer.finish_reason,
                streamed,
                not broken,
            )
        )
        if streamed:
            self._stream(endpoint.events(request, answer, response_id), answer)
        else:
            self._json(200, endpoint.body(request, answer, response_id), cut=answer.disconnect)

    def _stream(self, events: list[JSON], answer: Answer) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        broken = answer.disconnect or answer.stream_error
        for event in events[: len(events) // 2] if broken else events:
            # The Responses API names its events; chat completions only send data.
            name = f"event: {event['type']}\n" if "type" in event else ""
            self._chunk(f"{name}data: {json.dumps(event)}\n\n")
        if answer.disconnect:
            self._cut()
            return
        if answer.stream_error:
            error = {"error": {"message": "the script says so", "type": "server_error", "code": "broken"}}
            if self.path == "/v1/messages":
                self._chunk(f"event: error\ndata: {json.dumps({'type': 'error'} | error)}\n\n")
            else:
                self._chunk(f"data: {json.dumps(error)}\n\n")
        if self.path != GEMINI:
            self._chunk("data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _cut(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _json(self, status: int, body: JSON, *, cut: bool = False) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if cut else data)
        if cut:
            self._cut()

    def _error(self, status: int, message: str) -> None:
        if self.path == GEMINI:
            self._json(status, gemini_error(status, message))
            return
        code = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}.get(status)
        self._json(status, {"error": {"message": message, "type": "test_error", "param": None, "code": code}})


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 256

    def __init__(self, port: int, held: str | None) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.held = held
        self.stopping = threading.Event()
        self.calls: list[Call] = []
        self._lock = threading.Lock()
        self._seen: Counter[str] = Counter()
        self._connections: set[socket.socket] = set()

    def record(self, call: Call) -> None:
        with self._lock:
            self.calls.append(call)

    def seen(self, user_text: str) -> int:
        """How often this text was asked, this time included."""
        with self._lock:
            self._seen[user_text] += 1
            return self._seen[user_text]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is its own business; anything else is a fault of the test server."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def close_connections(self) -> None:
        with self._lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue


class OpenAIServer:
    """Serves on a free loopback port while the context is open; leaves no thread or port behind.

    Args:
        held: a user's text that is not answered before the server stops.
    """

    def __init__(self, port: int = 0, held: str | None = None) -> None:
        self._server = _HTTPServer(port, held)
        # The poll interval bounds how long stopping takes.
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="openai-test-server"
        )

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def calls(self) -> list[Call]:
        return list(self._server.calls)

    @property
    def answered(self) -> list[Call]:
        """Calls to a language model that got a 200: no embeddings, no refusals."""
        return [call for call in self.calls if call.answered and call.path in ENDPOINTS]

    def user_texts(self) -> list[str]:
        """The content of each call's last message."""
        return [
            text_of(ENDPOINTS[call.path].messages(call.request)[-1].get("content")) for call in self.answered
        ]

    def stop(self) -> None:
        self._server.stopping.set()
        self._server.shutdown()
        self._server.close_connections()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> OpenAIServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


if __name__ == "__main__":
    with OpenAIServer(int(sys.argv[1]) if len(sys.argv) > 1 else 0) as running:
        print(running.base_url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
