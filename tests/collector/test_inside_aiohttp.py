"""aiohttp's insides that we know of, in the aiohttp that is installed, and with each of them removed.

Part of the tests that run with the oldest and the newest supported packages.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

import pytest
from aiohttp import web

from otel_arthur.collector.receivers import inside_aiohttp
from otel_arthur.collector.receivers.connections import Connections
from otel_arthur.collector.receivers.inside_aiohttp import BoundedServer, clean_up
from tests.support.waiting import PATIENCE

ORDINARY = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
MALFORMED = b"\x16\x03\x01 is another protocol\r\n\r\n"
OURS = {"X-Ours": "yes"}


async def head(text: bytes, told: list[str]) -> bytes:
    """Of the answer to a text; then the server is stopped while another request hangs."""
    came = asyncio.Event()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/hang":
            came.set()
            await asyncio.sleep(10 * PATIENCE)
        return web.Response(text="here")

    silent = logging.Logger("aiohttp", logging.CRITICAL)
    server = BoundedServer(
        handle,
        Connections(10, told.append),
        lambda status: web.Response(status=status, headers=OURS),
        access_log=None,
        logger=silent,
    )
    runner = web.ServerRunner(server, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    found = await reader.readuntil(b"\r\n\r\n")
    _, hanging = await asyncio.open_connection("127.0.0.1", port)
    hanging.write(ORDINARY.replace(b"/ ", b"/hang ", 1))
    await asyncio.wait_for(came.wait(), PATIENCE)
    # Not by the clock: a request that was waited for would take longer than the test may.
    await clean_up(runner, 0.2)
    for one in (writer, hanging):
        one.close()
    return found


@pytest.mark.parametrize(("text", "counted"), [(ORDINARY, []), (MALFORMED, ["malformed"])])
def test_malformed_requests_are_counted_and_get_our_answer(text: bytes, counted: list[str]) -> None:
    """Not a fallback."""
    told: list[str] = []
    found = asyncio.run(head(text, told))
    assert found.split()[1] == (b"400" if counted else b"200")
    assert (b"X-Ours: yes" in found) is bool(counted)
    assert told == counted


def test_without_the_way_requests_are_made_malformed_ones_are_answered(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make: Any = web.Server._make_request  # pyright: ignore[reportPrivateUsage]
    monkeypatch.delattr(web.Server, "_make_request")
    # As a version to come has it under another name.
    monkeypatch.setattr(web.Server, "_renamed", make, raising=False)
    taken = web.Server.__init__

    def initialize(self: Any, handler: Any, **settings: Any) -> None:
        taken(
            self,
            handler,
            request_factory=settings.pop("request_factory", lambda *a: make(self, *a)),
            **settings,
        )

    monkeypatch.setattr(web.Server, "__init__", initialize)
    told: list[str] = []
    assert b"400" in asyncio.run(head(MALFORMED, told))
    assert told == []
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "malformed requests are not counted"
    ]


def test_without_the_way_errors_are_answered_aiohttp_answers_malformed_requests(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answer: Any = web.RequestHandler.handle_error
    monkeypatch.delattr(web.RequestHandler, "handle_error")

    def handler(self: Any, error: Any) -> Any:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            return answer(self, request, error.status, error.exc, error.message)

        return handle

    # As a version to come answers without it.
    monkeypatch.setattr(web.RequestHandler, "_make_error_handler", handler)
    told: list[str] = []
    found = asyncio.run(head(MALFORMED, told))
    assert (b"400" in found, b"X-Ours" in found) == (True, False)
    assert told == ["malformed"]
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "malformed requests are answered by aiohttp"
    ]


def test_without_the_queue_of_requests_ordinary_ones_are_answered(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(inside_aiohttp, "_QUEUE", ((web.RequestHandler, "_of_a_version_to_come"),))
    told: list[str] = []
    for text, status in ((ORDINARY, b"200"), (MALFORMED, b"400")):
        assert asyncio.run(head(text, told)).split()[1] == status
    assert told == ["malformed"]
    assert {record.getMessage().partition(":")[0] for record in caplog.records} == {
        "malformed bodies are waited for"
    }


def test_without_the_runners_limit_the_wait_is_broken_off() -> None:
    class OfAVersionToCome:
        async def cleanup(self) -> None:
            await asyncio.sleep(10 * PATIENCE)

        server = None

    runner: Any = OfAVersionToCome()
    asyncio.run(clean_up(runner, 0.1))


class WatchedRunner(web.ServerRunner):
    """Tells whether its end was broken off."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.broken_off = asyncio.Event()

    async def cleanup(self) -> None:
        try:
            await super().cleanup()
        except asyncio.CancelledError:
            self.broken_off.set()
            raise


def test_a_client_that_does_not_read_gets_no_more_time_than_others() -> None:
    """aiohttp itself waits for such a client once more, and ends by itself."""

    async def end() -> None:
        answering = asyncio.Event()

        async def handle(_request: web.BaseRequest) -> web.StreamResponse:
            answering.set()
            return web.Response(body=bytes(64 * 1024 * 1024))

        server = BoundedServer(handle, Connections(10, print), lambda status: web.Response(status=status))
        runner = WatchedRunner(server, handle_signals=False)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        with socket.create_connection(("127.0.0.1", runner.addresses[0][1])) as client:
            client.sendall(ORDINARY)
            await asyncio.wait_for(answering.wait(), PATIENCE)
            await clean_up(runner, 0.5)
            await asyncio.wait_for(runner.broken_off.wait(), PATIENCE)

    asyncio.run(end())
