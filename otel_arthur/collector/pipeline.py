"""`Pipeline`: a request's inferences go to the spool, its bytes to the next hop, and one answer back."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from otel_arthur.collector.forwarding import Breaker, NextHop
from otel_arthur.collector.intake.appending import WAIT_SECONDS, Append, Appender, Lanes
from otel_arthur.collector.intake.intake import Intake
from otel_arthur.collector.otlp import replies
from otel_arthur.collector.otlp.content import Content, ContentReader
from otel_arthur.collector.otlp.decoding import parse
from otel_arthur.collector.otlp.inflating import BadBody, TooLarge
from otel_arthur.collector.otlp.memory import Hold, NoRoom
from otel_arthur.collector.otlp.replies import Reply
from otel_arthur.collector.otlp.request import HOP_HEADER, Request
from otel_arthur.collector.otlp.signals import TRACES
from otel_arthur.collector.otlp.turns import NoTurn
from otel_arthur.collector.service.telemetry import Telemetry

_logger = logging.getLogger(__name__)

PROCESS_ID = uuid.uuid4().hex[:16]
"""The name of this process in the hop header."""


@dataclass(frozen=True, slots=True)
class Rules:
    max_bytes: int
    max_items: int
    refuse: bool = False
    """Whether a request is refused if the spool does not take its calls; otherwise the request goes on."""
    stamp: bool = False
    takes_everything: bool = False
    """Whether every request concerns Arthur, since the processor has looked."""


class Pipeline:
    """The way of a request. One for each configuration; for one event loop."""

    def __init__(
        self, intake: Intake, hop: NextHop | None, telemetry: Telemetry, lanes: Lanes, rules: Rules
    ) -> None:
        self._hop = hop
        self._telemetry = telemetry
        self._lanes = lanes
        self._rules = rules
        self._reader = ContentReader(
            lanes.reading_by_turns,
            rules.max_bytes,
            rules.max_items,
            count_invalid=hop is None,
            is_selected=rules.takes_everything,
        )
        self._appender = Appender(intake, telemetry, lanes, rules.max_items, forwards=hop is not None)
        self._breaker = Breaker()

    async def export(self, request: Request, hold: Hold) -> Reply:
        """Answer a request. Never raises for anything that a sender, Arthur or the next hop does.

        Args:
            hold: the memory of the request, which must hold the body already.
        """
        content: Content | None = None
        try:
            content = await self._reader.read(request, hold)
            reply = await self._reply(request, content, hold)
        except TooLarge:
            reply = replies.too_large(self._rules.max_bytes)
        except BadBody as error:
            reply = replies.bad_data(str(error))
        except (NoRoom, NoTurn):
            reply = replies.busy()
        self._count(request, reply, content.items if content else 0)
        return reply

    async def close_window(self) -> None:
        """Decide about calls whose messages did not come in time."""
        await self._appender.close_window()

    async def close(self, seconds: float = 0.0) -> None:
        """Wait for appends, decide about what waits, and end the connections to the next hop."""
        await self._appender.close(seconds)
        if self._hop is not None:
            await self._hop.close()

    async def _reply(self, request: Request, content: Content, hold: Hold) -> Reply:
        if PROCESS_ID in request.hops:
            self._telemetry.add("otelcol_arthur_loops", found_by="header")
            return replies.LOOP
        if content.unread:
            self._telemetry.add("otelcol_arthur_requests_unread", reason=content.unread)
            if self._hop is None or (request.json and self._hop.needs_protobuf(request)):
                is_memory = content.unread == "memory"
                return replies.NEEDS_MEMORY if is_memory else replies.too_many_items(self._rules.max_items)
        if not content.concerns_arthur:
            return await self._send_on(request, content, None)
        if self._rules.stamp and request.signal is TRACES:
            append, stamped = await self._stamped(request, content, hold)
        else:
            append, stamped = self._appender.begin(request, content, hold), None
        # Without a next hop, success would be a lie about calls that a full spool did not take.
        if self._rules.refuse or self._hop is None:
            refusal = await self._appender.wait(append)
            if refusal is not None or self._hop is not None:
                return refusal or await self._send_on(request, content, stamped)
            return _own_answer(request, content, append.calls)
        reply = await self._send_on(request, content, stamped)
        await self._appender.wait(append)
        return reply

    async def _stamped(self, request: Request, content: Content, hold: Hold) -> tuple[Append, bytes | None]:
        """Begin an append; returns the request with the ids in it, or None if the append takes too long."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bytes] = loop.create_future()

        def stamped(encoded: bytes) -> None:
            loop.call_soon_threadsafe(lambda: future.done() or future.set_result(encoded))

        append = self._appender.begin(request, content, hold, stamped)
        waiting: set[asyncio.Future[Any]] = {future, append.ended}
        await asyncio.wait(waiting, timeout=WAIT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not future.done():
            self._telemetry.add("otelcol_arthur_requests_unstamped")
            future.cancel()
            return append, None
        return append, future.result()

    async def _send_on(self, request: Request, content: Content, stamped: bytes | None) -> Reply:
        if self._hop is None:
            return _own_answer(request, content)
        if stamped is not None:
            return await self._forward(self._hop, request, content.items, stamped)
        protobuf = None
        if self._hop.needs_protobuf(request):
            protobuf = content.body
            if request.json:
                lane = self._lanes.reading if content.is_large else self._lanes.converting
                run = asyncio.get_running_loop().run_in_executor
                protobuf = await run(lane, _in_protobuf, request, content.body)
        return await self._forward(self._hop, request, content.items, protobuf)

    async def _forward(self, hop: NextHop, request: Request, items: int, protobuf: bytes | None) -> Reply:
        if not self._breaker.permits(time.monotonic()):
            return replies.unavailable("the next hop does not answer; send this request again later")
        hops = ", ".join((*request.hops, PROCESS_ID))
        reply = await hop.send(replace(request, headers=(*request.headers, (HOP_HEADER, hops))), protobuf)
        if reply.code == replies.DEADLINE_EXCEEDED:
            self._breaker.timed_out(time.monotonic())
        else:
            self._breaker.answered()
        outcome = "sent" if reply.code == replies.OK else "send_failed"
        self._telemetry.add(f"otelcol_exporter_{outcome}_{request.signal.items}", items, exporter="forward")
        return reply

    def _count(self, request: Request, reply: Reply, items: int) -> None:
        outcome = "accepted" if reply.code == replies.OK else "refused"
        self._telemetry.add(
            f"otelcol_receiver_{outcome}_{request.signal.items}",
            items,
            receiver="otlp",
            transport=request.transport,
        )


def _own_answer(request: Request, content: Content, calls: Sequence[tuple[str, str]] = ()) -> Reply:
    """The answer without a next hop: the spool has the calls."""
    if not content.invalid:
        return Reply(calls=calls)
    response = request.signal.response()
    response.partial_success.rejected_spans = content.invalid
    response.partial_success.error_message = (
        "a trace id must have 16 bytes and a span id 8, and neither may be all zeros"
    )
    return Reply(response=response.SerializeToString(), calls=calls)


def _in_protobuf(request: Request, body: bytes) -> bytes:
    return parse(request.signal, body, True).SerializeToString()
