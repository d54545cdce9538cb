"""The next hop over OTLP/HTTP."""

from __future__ import annotations

import asyncio
import base64
import ssl

import aiohttp

from otel_arthur.collector import replies
from otel_arthur.collector.configuration import Forward
from otel_arthur.collector.decoding import response_protobuf
from otel_arthur.collector.forwarding.next_hop import MAX_ANSWER_BYTES, Outgoing
from otel_arthur.collector.replies import HTTPReply, Reply

_PROTOBUF = "application/x-protobuf"
_JSON = "application/json"


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

    def needs_protobuf(self, json: bool, over_http: bool) -> bool:
        return False

    async def send(self, outgoing: Outgoing) -> Reply:
        headers = _headers(outgoing, self._forward)
        body = outgoing.body if outgoing.protobuf is None else outgoing.protobuf
        try:
            async with self._session.post(
                self._forward.endpoint + outgoing.signal.path,
                data=body,
                headers=headers,
                allow_redirects=False,
            ) as response:
                content = await _bounded(response.content)
                return _answer(outgoing, response, content)
        except (asyncio.TimeoutError, TimeoutError):
            return Reply(
                replies.DEADLINE_EXCEEDED,
                f"the next hop did not answer within {self._forward.timeout:g} s",
                status=504,
            )
        except (aiohttp.ClientError, OSError) as error:
            return replies.unavailable(f"the next hop cannot be reached ({type(error).__name__})")

    async def close(self) -> None:
        await self._session.close()


async def _bounded(stream: aiohttp.StreamReader) -> bytes:
    content = bytearray()
    async for piece in stream.iter_any():
        content += piece
        if len(content) > MAX_ANSWER_BYTES:
            raise aiohttp.ClientPayloadError("the answer is larger than 4 MiB")
    return bytes(content)


def _headers(outgoing: Outgoing, forward: Forward) -> list[tuple[str, str]]:
    json = outgoing.json and outgoing.protobuf is None
    headers = [
        (name, value if isinstance(value, str) else base64.b64encode(value).decode())
        for name, value in outgoing.headers
        if name not in forward.headers
    ]
    headers += list(forward.headers.items())
    headers.append(("content-type", _JSON if json else _PROTOBUF))
    if outgoing.compression and outgoing.protobuf is None:
        headers.append(("content-encoding", outgoing.compression))
    return headers


def _answer(outgoing: Outgoing, response: aiohttp.ClientResponse, content: bytes) -> Reply:
    content_type = response.headers.get("Content-Type", "")
    json = content_type.partition(";")[0].strip().lower() == _JSON
    retry_after = response.headers.get("Retry-After")
    verbatim = None
    # A proxy's HTML page is no answer to an OTLP client: only the request's own encoding is.
    if outgoing.protobuf is None and json == outgoing.json and (json or _PROTOBUF in content_type):
        kept = tuple((name, value) for name, value in (("Retry-After", retry_after),) if value is not None)
        verbatim = HTTPReply(response.status, content_type, content, kept)
    if 200 <= response.status < 300:
        message = response_protobuf(outgoing.signal, content) if json else content
        return Reply(response=message, verbatim=verbatim)
    neutral = replies.from_http(response.status, content, json, retry_after)
    return Reply(
        neutral.code, neutral.message, neutral.retry_after, status=response.status, verbatim=verbatim
    )


def _tls(forward: Forward) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(forward.ca_file) if forward.ca_file else None)
    if forward.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if forward.cert_file:
        context.load_cert_chain(forward.cert_file, forward.key_file)
    return context
