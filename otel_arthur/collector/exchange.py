"""`Exchange`: one request in, its inferences into the spool, the request on, one answer back."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import orjson

from otel_arthur.collector import answers
from otel_arthur.collector.answers import Answer
from otel_arthur.collector.decoding import BadBody, TooLarge, decompress, parse
from otel_arthur.collector.forwarding import Breaker, NextHop, Outgoing
from otel_arthur.collector.intake import Intake, Taken
from otel_arthur.collector.loops import Sightings
from otel_arthur.collector.received import HOP_HEADER, Received
from otel_arthur.collector.signals import LOGS, TRACES, Signal
from otel_arthur.collector.spans import has_marker, invalid_ids
from otel_arthur.collector.telemetry import Telemetry

_logger = logging.getLogger(__name__)

PROCESS_ID = uuid.uuid4().hex[:16]
"""What this process calls itself in the hop header."""
_INLINE_BYTES = 64 * 1024
"""Compressed bodies up to this size are inflated on the event loop: a thread would cost more."""


@dataclass(frozen=True, slots=True)
class _Content:
    """A request made readable. `message` is None where only its validity and its size were asked."""

    body: bytes
    items: int
    message: Any = None


class Exchange:
    """The way of a request. One for each configuration; for one event loop."""

    def __init__(
        self,
        intake: Intake,
        hop: NextHop | None,
        telemetry: Telemetry,
        executor: Executor,
        *,
        max_bytes: int,
        refuse_when_full: bool,
        stamp: bool,
    ) -> None:
        self._intake = intake
        self._hop = hop
        self._telemetry = telemetry
        self._executor = executor
        self._max_bytes = max_bytes
        # Where nothing follows us a success would be a lie about what a full spool did not take.
        self._refuse_when_full = refuse_when_full or hop is None
        self._stamp = stamp and hop is not None
        self._breaker = Breaker()
        self._sightings = Sightings()

    async def export(self, received: Received) -> Answer:
        """Answer a request. Never raises for anything that a sender, Arthur or the next hop does."""
        items = 0
        try:
            content = await self._read(received)
            items = content.items
            answer = await self._answer(received, content)
        except TooLarge:
            answer = answers.too_large(self._max_bytes)
        except BadBody as error:
            answer = answers.bad_data(str(error))
        self._count(received, answer, items)
        return answer

    async def settle(self, everything: bool = False) -> None:
        """Decide about calls whose messages did not come in time, or about `everything` that waits."""
        self._count_taken(await self._in_thread(self._intake.settle, everything))

    async def close(self) -> None:
        """Decide about what waits, and end the connections to the next hop."""
        await self.settle(everything=True)
        if self._hop is not None:
            await self._hop.close()

    async def _read(self, received: Received) -> _Content:
        if received.compression is not None and len(received.body) > _INLINE_BYTES:
            body = await self._in_thread(decompress, received.body, received.compression, self._max_bytes)
        else:
            body = decompress(received.body, received.compression, self._max_bytes)
        if _is_of_interest(received.signal) and has_marker(body):
            message = await self._in_thread(parse, received.signal, body, received.json)
            return _Content(body, received.signal.count(message), message)
        if len(body) > _INLINE_BYTES:
            return _Content(body, await self._in_thread(_valid_items, received, body))
        return _Content(body, _valid_items(received, body))

    async def _answer(self, received: Received, content: _Content) -> Answer:
        if PROCESS_ID in received.hops:
            self._telemetry.add("otelcol_arthur_loops", found_by="header")
            return Answer(
                answers.FAILED_PRECONDITION,
                "this request has been here before: the next hop leads back to this collector",
                status=508,
            )
        if content.message is not None:
            refusal = await self._take(received.signal, content.message)
            if refusal is not None:
                return refusal
        if self._hop is None:
            return self._final_answer(received, content)
        return await self._forward(self._hop, received, content)

    async def _take(self, signal: Signal, message: Any) -> Answer | None:
        """Put what is for Arthur into the spool; an answer where the request must be refused."""
        try:
            if signal is LOGS:
                taken = await self._in_thread(self._intake.take_logs, message)
            else:
                taken = await self._in_thread(self._intake.take, message, self._stamp)
        except Exception as error:  # a broken disk must not stop what only passes through
            _logger.exception("the spool did not take a request", exc_info=error)
            self._telemetry.add("otelcol_exporter_enqueue_failed_spans", 1, exporter="arthur")
            return answers.unavailable("the spool cannot be written") if self._refuse_when_full else None
        self._count_taken(taken)
        if self._sightings.is_loop(taken.keys, time.monotonic()):
            self._telemetry.add("otelcol_arthur_loops", found_by="repetition")
            _logger.warning("the same span keeps coming back: the next hop may lead back to this collector")
        if taken.refused and self._refuse_when_full:
            return answers.unavailable("the spool is full; send this request again later", 5.0)
        return None

    def _final_answer(self, received: Received, content: _Content) -> Answer:
        """The answer where nothing follows us: the spool has it."""
        if received.signal is not TRACES:
            return Answer()
        message = content.message
        if message is None:
            message = parse(received.signal, content.body, received.json)
        rejected = invalid_ids(message)
        if not rejected:
            return Answer()
        response = received.signal.response()
        response.partial_success.rejected_spans = rejected
        response.partial_success.error_message = (
            "a trace id must have 16 bytes and a span id 8, and neither may be all zeros"
        )
        return Answer(response=response.SerializeToString())

    async def _forward(self, hop: NextHop, received: Received, content: _Content) -> Answer:
        if not self._breaker.permits(time.monotonic()):
            return answers.unavailable("the next hop does not answer; send this request again later")
        hops = ", ".join((*received.hops, PROCESS_ID))
        headers = (*received.headers, (HOP_HEADER, hops))
        if self._stamp and content.message is not None and received.signal is TRACES:
            encoded = content.message.SerializeToString()
            outgoing = Outgoing(received.signal, headers, b"", encoded, received.json, None)
        else:
            over_http = received.transport == "http"
            protobuf = None
            if hop.needs_protobuf(received.json, over_http):
                protobuf = content.body
                if received.json:
                    protobuf = await self._in_thread(_reencoded, received, content)
            outgoing = Outgoing(
                received.signal, headers, received.body, protobuf, received.json, received.compression
            )
        answer = await hop.send(outgoing)
        if answer.code == answers.DEADLINE_EXCEEDED:
            self._breaker.timed_out(time.monotonic())
        else:
            self._breaker.answered()
        outcome = "sent" if answer.code == answers.OK else "send_failed"
        name = f"otelcol_exporter_{outcome}_{received.signal.items}"
        self._telemetry.add(name, content.items, exporter="forward")
        return answer

    def _count(self, received: Received, answer: Answer, items: int) -> None:
        outcome = "accepted" if answer.code == answers.OK else "refused"
        self._telemetry.add(
            f"otelcol_receiver_{outcome}_{received.signal.items}",
            items,
            receiver="otlp",
            transport=received.transport,
        )

    def _count_taken(self, taken: Taken) -> None:
        for outcome, count in (
            ("taken", taken.calls),
            ("refused", taken.refused),
            ("unmatched", taken.unmatched),
            ("skipped", taken.skipped),
            ("waiting", taken.waiting),
        ):
            if count:
                self._telemetry.add("otelcol_arthur_calls", count, outcome=outcome)
        if taken.refused:
            self._telemetry.add("otelcol_exporter_enqueue_failed_spans", taken.refused, exporter="arthur")

    async def _in_thread(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)


def _is_of_interest(signal: Signal) -> bool:
    return signal is TRACES or signal is LOGS


def _valid_items(received: Received, body: bytes) -> int:
    """Check that a request without LLM spans is OTLP at all, as cheaply as that goes, and count its items.

    upb parses protobuf without making anything of it for Python. JSON is only checked to be JSON
    of the right shape: its conversion would cost thirty times as much, and the next hop does it.
    """
    if not received.json:
        return received.signal.count(parse(received.signal, body, False))
    try:
        document: object = orjson.loads(body) if body.strip() else {}
    except orjson.JSONDecodeError as error:
        raise BadBody(f"the body is not JSON: {str(error)[:200]}") from None
    if not isinstance(document, dict):
        raise BadBody("the body is not a JSON object")
    return body.count(b'"startTimeUnixNano"') if received.signal is not LOGS else body.count(b'"body"')


def _reencoded(received: Received, content: _Content) -> bytes:
    message = content.message
    if message is None:
        message = parse(received.signal, content.body, True)
    return message.SerializeToString()
