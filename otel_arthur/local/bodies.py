"""Bodies: of requests, never larger than the limit, neither on the wire nor inflated; of answers, JSON."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from otel_arthur.genai.otlp.measuring import TooManyItems, bytes_of_json

MAX_VALUES = 1_000_000
"""The values of one body: rows, fields, items of lists."""


def answer(content: Any, status: int = 200) -> Response:
    """The content as JSON."""
    return Response(orjson.dumps(content), status, media_type="application/json")


async def json_body(request: Request, limit: int) -> Any:
    """The JSON of a request, gzip or plain.

    Raises:
        HTTPException: 400 not JSON or cut off, 413 over `limit` bytes, 415 another encoding.
    """
    body = b"".join([chunk async for chunk in bounded(request, limit)])
    try:
        return loaded(body)
    except orjson.JSONDecodeError as error:
        raise HTTPException(400, f"the body is not JSON: {error}") from None


def leaves(value: Any) -> Iterator[tuple[Any, bool]]:
    """The keys, texts, numbers and other single values within JSON; and whether each is a key."""
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield key, True
            yield from leaves(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from leaves(item)
    else:
        yield value, False


def loaded(content: bytes) -> Any:
    """JSON as Python objects: 30 MB of JSON can become gigabytes.

    Raises:
        HTTPException: 413 more values than `MAX_VALUES`.
        orjson.JSONDecodeError: the content is not JSON.
    """
    try:
        bytes_of_json(content, MAX_VALUES)
    except TooManyItems:
        raise HTTPException(413, f"the body holds more than {MAX_VALUES} values") from None
    return orjson.loads(content)


async def bounded(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body in parts, inflated where ``Content-Encoding: gzip``; 413 as soon as it is over `limit`."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise HTTPException(415, f"Content-Encoding {encoding!r} is not supported: send gzip or none")
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise _too_large(limit)
    parts = request.stream() if encoding == "identity" else _inflated(request, limit)
    seen = 0
    async for part in parts:
        seen += len(part)
        if seen > limit:
            raise _too_large(limit)
        yield part


async def _inflated(request: Request, limit: int) -> AsyncIterator[bytes]:
    inflate = zlib.decompressobj(wbits=31)
    seen = 0
    try:
        async for part in request.stream():
            # One byte over the limit is enough for the caller to refuse it: a bomb is not inflated further.
            inflated = inflate.decompress(part, limit + 1 - seen) if part else b""
            seen += len(inflated)
            yield inflated
    except zlib.error:
        raise HTTPException(400, "the body is not gzip, though Content-Encoding says so") from None
    if not inflate.eof:
        raise HTTPException(400, "the gzip body is cut off")


def _too_large(limit: int) -> HTTPException:
    return HTTPException(413, f"the body is larger than {limit} bytes")
