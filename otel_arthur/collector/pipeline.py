"""`Pipeline`: one request in, its inferences into the spool, the request on, one answer back."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import orjson

from otel_arthur.collector import replies
from otel_arthur.collector.decoding import BadBody, TooLarge, decompress, parse
from otel_arthur.collector.forwarding import Breaker, NextHop, Outgoing
from otel_arthur.collector.intake import Intake, IntakeResult
from otel_arthur.collector.loops import LoopDetector
from otel_arthur.collector.replies import Reply
from otel_arthur.collector.request import HOP_HEADER, Request
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


class Pipeline:
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
        self._loops = LoopDetector()

    async def export(self, request: Request) -> Reply:
        """Answer a request. Never raises for anything that a sender, Arthur or the next hop does."""
        items = 0
        try:
            content = await self._read(request)
            items = content.items
            answer = await self._answer(request, content)
        except TooLarge:
            answer = replies.too_large(self._max_bytes)
        except BadBody as error:
            answer = replies.bad_data(str(error))
        self._count(request, answer, items)
        return answer

    async def settle(self, everything: bool = False) -> None:
        """Decide about calls whose messages did not come in time, or about `everything` that waits."""
        self._count_result(await self._in_thread(self._intake.settle, everything))

    async def close(self) -> None:
        """Decide about what waits, and end the connections to the next hop."""
        await self.settle(everything=True)
        if self._hop is not None:
            await self._hop.close()

    async def _read(self, request: Request) -> _Content:
        if request.compression is not None and len(request.body) > _INLINE_BYTES:
            body = await self._in_thread(decompress, request.body, request.compression, self._max_bytes)
        else:
            body = decompress(request.body, request.compression, self._max_bytes)
        if _is_of_interest(request.signal) and has_marker(body):
            message = await self._in_thread(parse, request.signal, body, request.json)
            return _Content(body, request.signal.count(message), message)
        if len(body) > _INLINE_BYTES:
            return _Content(body, await self._in_thread(_valid_items, request, body))
        return _Content(body, _valid_items(request, body))

    async def _answer(self, request: Request, content: _Content) -> Reply:
        if PROCESS_ID in request.hops:
            self._telemetry.add("otelcol_arthur_loops", found_by="header")
            return Reply(
                replies.FAILED_PRECONDITION,
                "this request has been here before: the next hop leads back to this collector",
                status=508,
            )
        if content.message is not None:
            refusal = await self._take(request.signal, content.message)
            if refusal is not None:
                return refusal
        if self._hop is None:
            return self._final_answer(request, content)
        return await self._forward(self._hop, request, content)

    async def _take(self, signal: Signal, message: Any) -> Reply | None:
        """Put what is for Arthur into the spool; an answer where the request must be refused."""
        try:
            if signal is LOGS:
                result = await self._in_thread(self._intake.take_logs, message)
            else:
                result = await self._in_thread(self._intake.take, message, self._stamp)
        except Exception as error:  # a broken disk must not stop what only passes through
            _logger.exception("the spool did not take a request", exc_info=error)
            self._telemetry.add("otelcol_exporter_enqueue_failed_spans", 1, exporter="arthur")
            return replies.unavailable("the spool cannot be written") if self._refuse_when_full else None
        self._count_result(result)
        if self._loops.is_loop(result.keys, time.monotonic()):
            self._telemetry.add("otelcol_arthur_loops", found_by="repetition")
            _logger.warning("the same span keeps coming back: the next hop may lead back to this collector")
        if result.refused and self._refuse_when_full:
            return replies.unavailable("the spool is full; send this request again later", 5.0)
        return None

    def _final_answer(self, request: Request, content: _Content) -> Reply:
        """The answer where nothing follows us: the spool has it."""
        if request.signal is not TRACES:
            return Reply()
        message = content.message
        if message is None:
            message = parse(request.signal, content.body, request.json)
        rejected = invalid_ids(message)
        if not rejected:
            return Reply()
        response = request.signal.response()
        response.partial_success.rejected_spans = rejected
        response.partial_success.error_message = (
            "a trace id must have 16 bytes and a span id 8, and neither may be all zeros"
        )
        return Reply(response=response.SerializeToString())

    async def _forward(self, hop: NextHop, request: Request, content: _Content) -> Reply:
        if not self._breaker.permits(time.monotonic()):
            return replies.unavailable("the next hop does not answer; send this request again later")
        hops = ", ".join((*request.hops, PROCESS_ID))
        headers = (*request.headers, (HOP_HEADER, hops))
        if self._stamp and content.message is not None and request.signal is TRACES:
            encoded = content.message.SerializeToString()
            outgoing = Outgoing(request.signal, headers, b"", encoded, request.json, None)
        else:
            over_http = request.transport == "http"
            protobuf = None
            if hop.needs_protobuf(request.json, over_http):
                protobuf = content.body
                if request.json:
                    protobuf = await self._in_thread(_reencoded, request, content)
            outgoing = Outgoing(
                request.signal, headers, request.body, protobuf, request.json, request.compression
            )
        answer = await hop.send(outgoing)
        if answer.code == replies.DEADLINE_EXCEEDED:
            self._breaker.timed_out(time.monotonic())
        else:
            self._breaker.answered()
        outcome = "sent" if answer.code == replies.OK else "send_failed"
        name = f"otelcol_exporter_{outcome}_{request.signal.items}"
        self._telemetry.add(name, content.items, exporter="forward")
        return answer

    def _count(self, request: Request, answer: Reply, items: int) -> None:
        outcome = "accepted" if answer.code == replies.OK else "refused"
        self._telemetry.add(
            f"otelcol_receiver_{outcome}_{request.signal.items}",
            items,
            receiver="otlp",
            transport=request.transport,
        )

    def _count_result(self, result: IntakeResult) -> None:
        for outcome, count in (
            ("taken", result.calls),
            ("refused", result.refused),
            ("unmatched", result.unmatched),
            ("skipped", result.skipped),
            ("waiting", result.waiting),
        ):
            if count:
                self._telemetry.add("otelcol_arthur_calls", count, outcome=outcome)
        if result.refused:
            self._telemetry.add("otelcol_exporter_enqueue_failed_spans", result.refused, exporter="arthur")

    async def _in_thread(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)


def _is_of_interest(signal: Signal) -> bool:
    return signal is TRACES or signal is LOGS


def _valid_items(request: Request, body: bytes) -> int:
    """Check that a request without LLM spans is OTLP at all, as cheaply as that goes, and count its items.

    upb parses protobuf without making anything of it for Python. JSON is only checked to be JSON
    of the right shape: its conversion would cost thirty times as much, and the next hop does it.
    """
    if not request.json:
        return request.signal.count(parse(request.signal, body, False))
    try:
        document: object = orjson.loads(body) if body.strip() else {}
    except orjson.JSONDecodeError as error:
        raise BadBody(f"the body is not JSON: {str(error)[:200]}") from None
    if not isinstance(document, dict):
        raise BadBody("the body is not a JSON object")
    return body.count(b'"startTimeUnixNano"') if request.signal is not LOGS else body.count(b'"body"')


def _reencoded(request: Request, content: _Content) -> bytes:
    message = content.message
    if message is None:
        message = parse(request.signal, content.body, True)
    return message.SerializeToString()
