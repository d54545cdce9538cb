"""The next hop over OTLP/HTTP."""

from __future__ import annotations

import asyncio
import base64
import ssl
from dataclasses import replace

import aiohttp

from otel_arthur.collector.configuration.sections import Forward
from otel_arthur.collector.forwarding.next_hop import MAX_ANSWER_BYTES
from otel_arthur.collector.otlp import replies
from otel_arthur.collector.otlp.decoding import is_response, response_protobuf
from otel_arthur.collector.otlp.inflating import BadBody, TooLarge
from otel_arthur.collector.otlp.replies import HTTPReply, Reply
from otel_arthur.collector.otlp.request import Request

_PROTOBUF = "application/x-protobuf"
_JSON = "application/json"
_SUCCESSES = frozenset({200, 202, 204})
"""OTLP knows 200 alone. Some servers answer with the others, and the stock exporter takes them."""


class HTTPNextHop:
    """Posts to ``{endpoint}/v1/{signal}`` over kept-alive connections."""

    def __init__(self, forward: Forward) -> None:
        self._forward = forward
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=_tls(forward) if forward.is_secure else True),
            timeout=aiohttp.ClientTimeout(total=forward.timeout),
            auto_decompress=True,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept-Encoding", "Accept"),
        )

    def needs_protobuf(self, request: Request) -> bool:
        return False

    async def send(self, request: Request, protobuf: bytes | None) -> Reply:
        body = request.body if protobuf is None else protobuf
        headers = _headers(request, self._forward, is_own=protobuf is not None)
        url = self._forward.endpoint + request.signal.path
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                content = await _bounded(response.content)
                return _reply(request, response, content, is_own=protobuf is not None)
        except (asyncio.TimeoutError, TimeoutError):
            return Reply(
                replies.DEADLINE_EXCEEDED,
                f"the next hop did not answer within {self._forward.timeout:g} s",
                status=504,
            )
        except TooLarge:
            return replies.bad_gateway("the next hop's answer is larger than 4 MiB")
        except (aiohttp.ClientError, OSError) as error:
            return replies.unavailable(f"the next hop cannot be reached: {_cause(error)}")

    async def close(self) -> None:
        await self._session.close()


async def _bounded(stream: aiohttp.StreamReader) -> bytes:
    content = bytearray()
    async for piece in stream.iter_any():
        content += piece
        if len(content) > MAX_ANSWER_BYTES:
            raise TooLarge
    return bytes(content)


def _headers(request: Request, forward: Forward, *, is_own: bool) -> list[tuple[str, str]]:
    """The headers, with those of a body that is `is_own`: protobuf that we have written."""
    headers = [
        (name, value if isinstance(value, str) else base64.b64encode(value).decode())
        for name, value in request.headers
        if name not in forward.headers
    ]
    headers += list(forward.headers.items())
    headers.append(("content-type", _JSON if request.json and not is_own else _PROTOBUF))
    if request.compression and not is_own:
        headers.append(("content-encoding", request.compression))
    return headers


def _reply(request: Request, response: aiohttp.ClientResponse, content: bytes, *, is_own: bool) -> Reply:
    signal = request.signal
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    json = content_type == _JSON
    if response.status not in _SUCCESSES and not 400 <= response.status < 600:
        return replies.bad_gateway(f"the next hop answered HTTP {response.status}, which is no OTLP")
    message = b""
    if response.status in _SUCCESSES:
        try:
            message = response_protobuf(signal, content) if json else content
        except BadBody:
            return replies.bad_gateway("the next hop's answer is no OTLP")
        # A captive portal's page is no success, whatever its status says.
        if content and not json and not (content_type == _PROTOBUF and is_response(signal, content)):
            return replies.bad_gateway("the next hop's answer is no OTLP")
    retry_after = response.headers.get("Retry-After")
    neutral = replies.from_http(response.status, content, json, retry_after)
    verbatim = None
    # A proxy's HTML page is no answer to an OTLP client: only the request's own encoding is.
    if not is_own and content_type == (_JSON if request.json else _PROTOBUF):
        kept = () if neutral.retry_after is None else (("Retry-After", str(round(neutral.retry_after))),)
        status = 200 if response.status in _SUCCESSES else response.status
        verbatim = HTTPReply(status, response.headers["Content-Type"], content, kept)
    if response.status in _SUCCESSES:
        return Reply(response=message, verbatim=verbatim)
    return replace(neutral, status=response.status, verbatim=verbatim)


def _cause(error: Exception) -> str:
    """The error in words for a sender, without names of Python's classes."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name is not known"
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
        return "TLS failed"
    return "the connection failed"


def _tls(forward: Forward) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(forward.ca_file) if forward.ca_file else None)
    if forward.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if forward.cert_file:
        context.load_cert_chain(forward.cert_file, forward.key_file)
    return context
