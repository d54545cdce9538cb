"""`ContentReader`: a request's body inflated, measured, and checked to be OTLP, within the memory there is.

A small body is read where it is, on the event loop. A large one is read in a thread of its own lane, one at a
time, so that what reading holds beside the body is bounded. Nothing parsed is kept.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import orjson

from otel_arthur.collector.otlp.decoding import parse
from otel_arthur.collector.otlp.handed_over import BYTES_A_BYTE
from otel_arthur.collector.otlp.inflating import BadBody, TooLarge, TooManyMembers, decompress
from otel_arthur.collector.otlp.memory import Hold, NoRoom
from otel_arthur.collector.otlp.request import Request
from otel_arthur.collector.otlp.signals import LOGS, METRICS, TRACES
from otel_arthur.collector.otlp.spans import has_marker, invalid_ids, invalid_json_ids, may_hold_events
from otel_arthur.collector.otlp.turns import Turns
from otel_arthur.genai.otlp.json.texts import json_document
from otel_arthur.genai.otlp.measuring import (
    TooManyItems,
    bytes_of_json,
    bytes_of_messagepack,
    bytes_of_protobuf,
    most_bytes,
    most_items,
)

SMALL_BYTES = 64 * 1024
"""Bodies up to this size are read on the event loop: a thread would cost more than it saves."""
_CONCERNS: Final = {TRACES: has_marker, LOGS: may_hold_events}
_ITEMS: Final = {
    LOGS: (b'"body"',),
    TRACES: (b'"startTimeUnixNano"', b'"start_time_unix_nano"'),
}
_PATIENCE = 10.0
"""Seconds that a large body waits for memory to be parsed in."""


class NeverRoom(TooManyItems):
    """Parsing would hold more than all requests together may."""


@dataclass(frozen=True, slots=True)
class Content:
    body: bytes
    """The body without compression."""
    items: int
    concerns_arthur: bool = False
    """Whether the request may hold LLM spans, or GenAI log events."""
    invalid: int = 0
    """Spans whose ids are not allowed; counted where asked for."""
    unread: Literal["", "items", "memory"] = ""
    """The limit that the request exceeds; such a request is not read."""

    @property
    def is_large(self) -> bool:
        """Whether it must not be parsed on the event loop."""
        return len(self.body) > SMALL_BYTES


class ContentReader:
    """Reads requests.

    Args:
        lane: of one thread, for the large ones.
        count_invalid: whether `Content.invalid` is asked for.
        is_selected: whether the sender has looked already, so that every request concerns Arthur.
    """

    def __init__(
        self,
        lane: Turns,
        max_bytes: int,
        max_items: int,
        *,
        count_invalid: bool,
        is_selected: bool = False,
    ) -> None:
        self._lane = lane
        self._max_bytes = max_bytes
        self._max_items = max_items
        self._count_invalid = count_invalid
        self._is_selected = is_selected

    async def read(self, request: Request, hold: Hold) -> Content:
        """The content of a request. `hold` grows by the inflated body.

        Raises:
            TooLarge, BadBody, NoRoom, NoTurn: it cannot be read, for these reasons.
        """
        if self._is_selected and request.compression is None and request.signal is not METRICS:
            # The request is parsed once, where its calls are read.
            return Content(request.body, 0, concerns_arthur=True)
        if len(request.body) <= SMALL_BYTES:
            try:
                body = decompress(request.body, request.compression, SMALL_BYTES, max_members=1)
            except (TooLarge, TooManyMembers):
                pass
            else:
                if request.compression is not None:
                    hold.grow(len(body))
                return self._content(request, body)
        return await self._lane.run(request.sender, self._read_large, request, hold)

    def _read_large(self, request: Request, hold: Hold) -> Content:
        body = decompress(request.body, request.compression, self._max_bytes, hold.grow)
        try:
            with room_to_parse(request, body, self._max_items, hold):
                return self._content(request, body)
        except NeverRoom:
            return Content(body, 0, unread="memory")
        except TooManyItems:
            return Content(body, 0, unread="items")

    def _content(self, request: Request, body: bytes) -> Content:
        concerns = _CONCERNS.get(request.signal)
        concerns_arthur = concerns is not None and concerns(body)
        counts_invalid = self._count_invalid and request.signal is TRACES
        if request.json:
            document = _document(body)
            # By the names of their fields: a conversion would cost thirty times as much.
            items = sum(map(body.count, _ITEMS.get(request.signal, _ITEMS[TRACES])))
            return Content(body, items, concerns_arthur, invalid_json_ids(document) if counts_invalid else 0)
        message = parse(request.signal, body, False)
        return Content(
            body,
            request.signal.count(message),
            concerns_arthur,
            invalid_ids(message) if counts_invalid else 0,
        )


@contextmanager
def room_to_parse(request: Request, body: bytes, max_items: int, hold: Hold) -> Generator[None]:
    """Hold what parsing `body` takes, while it is parsed.

    Raises:
        NoRoom: there was none for some seconds.
        TooManyItems: there are more than `max_items`.
        NeverRoom: they take more than there will ever be room for.
    """
    needed = _needed_at_once(request, body, max_items, hold)
    if needed is None:
        # The message, and its texts once more as rows.
        needed = _parsed_bytes(request, body, max_items) + len(body)
        if needed > hold.capacity:
            raise NeverRoom
        hold.grow(needed, _PATIENCE)
    try:
        yield
    finally:
        hold.shrink(needed)


def _needed_at_once(request: Request, body: bytes, max_items: int, hold: Hold) -> int | None:
    """The memory for the worst body of this size, if there is so much: then the body need not be measured."""
    if request.handed_over:
        needed = BYTES_A_BYTE * len(body) + len(body)
    elif request.json or most_items(len(body)) > max_items:
        return None
    else:
        needed = most_bytes(len(body)) + len(body)
    try:
        hold.grow(needed)
    except NoRoom:
        return None
    return needed


def _parsed_bytes(request: Request, body: bytes, max_items: int) -> int:
    if request.handed_over:
        return bytes_of_messagepack(body, max_items)
    if request.json:
        return bytes_of_json(body, max_items)
    return bytes_of_protobuf(body, request.signal.request.DESCRIPTOR, max_items)


def _document(body: bytes) -> dict[str, Any]:
    try:
        document: Any = json_document(body)
    except orjson.JSONDecodeError as error:
        raise BadBody(f"the body is not JSON: {str(error)[:200]}") from None
    if not isinstance(document, dict):
        raise BadBody("the body is not a JSON object")
    return cast("dict[str, Any]", document)
