"""HTTP/2 as far as unary gRPC needs it, by h2: a connection, and the streams on it.

gRPC's own server reads a whole message before the program hears of the message, so nothing counts the bytes
of messages that never end. Here each piece of a message is counted when the piece comes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame

from otel_arthur.collector.receivers.connections import Connections

Headers = list[tuple[str, str]]

MAX_HEADER_BYTES = 32 * 1024
_STREAMS = 100
"""Streams that one connection may have at once."""
_STREAM_WINDOW = 1024 * 1024
_CONNECTION_WINDOW = 4 * 1024 * 1024
_MAX_UNSENT_BYTES = 1024 * 1024
"""Bytes that may wait for a client that does not read, as in a flood of pings."""
_FREE_RESETS = 200
"""A client may end so many requests before their answers, and then one more for each answer that it took."""


class Stream(Protocol):
    """One request, as its handler sees it."""

    def received(self, data: bytes) -> None:
        """A piece of the body."""

    def ended(self) -> None:
        """The body is complete."""

    def lost(self) -> None:
        """The client does not take the answer any more."""


class Connection(asyncio.Protocol):
    """One client.

    Args:
        opened: makes the stream of a request from its headers; it may answer at once, and return None.
        connections: counts this connection.
        alive: all open connections, for a drain.
        seconds: a client's time to take an answer.
    """

    def __init__(
        self,
        opened: Callable[[Connection, int, Headers], Stream | None],
        connections: Connections,
        alive: set[Connection],
        seconds: float,
    ) -> None:
        self._opened = opened
        self._connections = connections
        self._alive = alive
        self._seconds = seconds
        self._h2 = H2Connection(
            H2Configuration(
                client_side=False,
                header_encoding="latin-1",
                # Incoming headers are checked; outgoing headers are ours.
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self._streams: dict[int, Stream] = {}
        self._working = self._untaken = 0
        self._answered = self._resets = self._last = 0
        self._window = asyncio.Event()
        self._is_draining = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._alive.add(self)
        self._h2.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: _STREAMS,
                SettingCodes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW,
                SettingCodes.MAX_HEADER_LIST_SIZE: MAX_HEADER_BYTES,
            },
        )
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_CONNECTION_WINDOW - 65_535)
        self._flush()
        self._connections.opened(transport)

    @property
    def sender(self) -> str:
        """The address of the client."""
        name: Any = self._transport.get_extra_info("peername")
        return str(name[0]) if name else ""

    def data_received(self, data: bytes) -> None:
        try:
            for event in self._h2.receive_data(data):
                if self._transport.is_closing():
                    return
                self._take(event)
        except ProtocolError:
            self._connections.malformed()
            self._flush()
            self._transport.close()
            return
        self._flush()
        if self._transport.get_write_buffer_size() > _MAX_UNSENT_BYTES + self._working * 4 * _STREAM_WINDOW:
            self._connections.end(self._transport, "does not read")

    def connection_lost(self, exc: Exception | None) -> None:
        self._alive.discard(self)
        self._connections.closed(self._transport)
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            stream.lost()
        self._window.set()

    def working(self) -> None:
        """A request of this connection is complete, and being handled."""
        self._working += 1
        self._connections.is_working(self._transport)

    async def _wait_for_window(self, until: float) -> None:
        """Wait for the client, which would keep a connection and memory without an end."""
        self._flush()
        self._window.clear()
        self._untaken += 1
        self._rest()
        try:
            await asyncio.wait_for(self._window.wait(), until - asyncio.get_running_loop().time())
        except (asyncio.TimeoutError, TimeoutError):
            self._connections.end(self._transport, "does not read")
        else:
            self._connections.is_working(self._transport)
        finally:
            self._untaken -= 1

    def answer(self, stream_id: int, headers: Headers) -> None:
        """End a stream with headers alone."""
        if stream_id in self._h2.streams and not self._transport.is_closing():
            with contextlib.suppress(ProtocolError):
                self._h2.send_headers(stream_id, headers, end_stream=True)
                self._stop_receiving(stream_id)
        self._finish(stream_id)

    async def answer_with_body(
        self, stream_id: int, body: bytes, headers: Headers, trailers: Headers
    ) -> None:
        """End a stream with a body, as fast as the client takes the body."""
        try:
            until = asyncio.get_running_loop().time() + self._seconds
            self._h2.send_headers(stream_id, headers)
            while body:
                room = min(self._h2.local_flow_control_window(stream_id), self._h2.max_outbound_frame_size)
                if room > 0:
                    self._h2.send_data(stream_id, body[:room])
                    body = body[room:]
                else:
                    await self._wait_for_window(until)
            self._h2.send_headers(stream_id, trailers, end_stream=True)
        except ProtocolError:  # the stream is gone, or the connection
            pass
        self._finish(stream_id)

    def drain(self) -> None:
        """Tell the client to open no further streams; open streams go on."""
        self._is_draining = True
        if not self._transport.is_closing():
            # h2 would send nothing at all after a GOAWAY of its own.
            self._transport.write(GoAwayFrame(0, last_stream_id=self._last).serialize())
        if not self._streams:
            self.close()

    def close(self) -> None:
        self._transport.close()

    def _take(self, event: events.Event) -> None:
        if isinstance(event, events.DataReceived):
            stream = self._streams.get(event.stream_id or 0)
            if stream is not None:
                stream.received(event.data or b"")
            self._acknowledge(event)
        elif isinstance(event, events.RequestReceived):
            self._request(event.stream_id or 0, event.headers)
        elif isinstance(event, events.StreamEnded):
            stream = self._streams.get(event.stream_id or 0)
            if stream is not None:
                stream.ended()
        elif isinstance(event, events.StreamReset):
            self._reset(event.stream_id or 0)
        elif isinstance(event, (events.WindowUpdated, events.RemoteSettingsChanged)):
            self._window.set()
        elif isinstance(event, events.ConnectionTerminated) and not self._streams:
            self.close()

    def _request(self, stream_id: int, headers: Iterable[Any]) -> None:
        self._last = stream_id
        if self._is_draining:
            self._h2.reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)
            return
        if not self._working:
            self._connections.is_sending(self._transport)
        stream = self._opened(self, stream_id, list(headers))
        if stream is not None and stream_id in self._h2.streams:
            self._streams[stream_id] = stream

    def _reset(self, stream_id: int) -> None:
        stream = self._streams.pop(stream_id, None)
        if stream is not None:
            stream.lost()
        self._resets += 1
        if self._resets > _FREE_RESETS + self._answered:
            self._h2.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
            self._flush()
            self._connections.end(self._transport, "too many resets")
        self._rest()

    def _acknowledge(self, event: events.DataReceived) -> None:
        # The stream may be answered meanwhile.
        with contextlib.suppress(ProtocolError):
            self._h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)

    def _stop_receiving(self, stream_id: int) -> None:
        """Reset a stream whose request was answered before its end: the rest is not wanted."""
        stream = self._h2.streams.get(stream_id)
        if stream is not None and stream.open:
            self._h2.reset_stream(stream_id, ErrorCodes.NO_ERROR)

    def _finish(self, stream_id: int) -> None:
        if self._streams.pop(stream_id, None) is not None:
            self._answered += 1
        self._flush()
        self._rest()

    def finished(self) -> None:
        self._working -= 1
        self._rest()

    def _rest(self) -> None:
        if self._working:
            if self._untaken == self._working:
                # Only the client is waited for: of too many connections this one may go.
                self._connections.is_sending(self._transport)
            return
        if not self._streams:
            self._connections.is_idle(self._transport)
            if self._is_draining:
                self.close()

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)
