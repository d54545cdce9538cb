"""The answer to a request: one neutral form, and its forms over HTTP and over gRPC.

Sources: opentelemetry-proto ``docs/specification.md`` ("OTLP/gRPC Response", "OTLP/HTTP Response",
"Retryable Response Codes"), ``google/rpc/status.proto`` and ``error_details.proto``.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from google.protobuf import duration_pb2
from google.protobuf.message import DecodeError
from google.rpc import (  # pyright: ignore[reportMissingTypeStubs]
    error_details_pb2,
    status_pb2,
)

from otel_arthur.http.errors import MAX_RETRY_AFTER, parse_retry_after

OK, CANCELLED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED = 0, 1, 2, 3, 4
NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, RESOURCE_EXHAUSTED, FAILED_PRECONDITION = 5, 6, 7, 8, 9
ABORTED, OUT_OF_RANGE, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS = 10, 11, 12, 13, 14, 15
UNAUTHENTICATED = 16

RETRYABLE_CODES = frozenset({CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS})
RETRYABLE_STATUSES = frozenset({429, 502, 503, 504})

_HTTP_OF_CODE = {
    INVALID_ARGUMENT: 400,
    DEADLINE_EXCEEDED: 504,
    NOT_FOUND: 404,
    ALREADY_EXISTS: 409,
    PERMISSION_DENIED: 403,
    UNIMPLEMENTED: 501,
    UNAUTHENTICATED: 401,
    FAILED_PRECONDITION: 400,
}
_CODE_OF_HTTP = {
    400: INVALID_ARGUMENT,
    401: UNAUTHENTICATED,
    403: PERMISSION_DENIED,
    404: UNIMPLEMENTED,
    405: UNIMPLEMENTED,
    413: RESOURCE_EXHAUSTED,
    415: UNIMPLEMENTED,
    500: INTERNAL,
    501: UNIMPLEMENTED,
    502: UNAVAILABLE,
    503: UNAVAILABLE,
    504: DEADLINE_EXCEEDED,
    508: FAILED_PRECONDITION,
}


@dataclass(frozen=True, slots=True)
class HTTPReply:
    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    code: int = OK
    """A gRPC status code; `OK` also for a partial success."""
    message: str = ""
    retry_after: float | None = None
    """Seconds after which the sender may try again; None without such a hint."""
    response: bytes = b""
    """The ``Export…ServiceResponse`` in protobuf, where `code` is `OK`."""
    status: int | None = None
    """The HTTP status, where the status says more than the code."""
    verbatim: HTTPReply | None = None
    """The next hop's own answer, for a request of the same transport and encoding."""
    details: bytes | None = None
    """The next hop's own ``grpc-status-details-bin``."""
    calls: Sequence[tuple[str, str]] = ()
    """Trace and span id of each span that is a call, where there is no next hop."""

    @property
    def is_retryable(self) -> bool:
        """Whether a sender that obeys the specification sends the request again."""
        if self.status is not None:
            return self.status in RETRYABLE_STATUSES
        return self.code in RETRYABLE_CODES or (
            self.code == RESOURCE_EXHAUSTED and self.retry_after is not None
        )

    @property
    def http_status(self) -> int:
        """The HTTP status, which is retryable exactly when the code is retryable over gRPC."""
        if self.status is not None:
            return self.status
        if self.code == OK:
            return 200
        if self.code == RESOURCE_EXHAUSTED:
            return 413 if self.retry_after is None else 429
        return _HTTP_OF_CODE.get(self.code, 503 if self.is_retryable else 500)

    def status_message(self) -> status_pb2.Status:
        """The answer as ``google.rpc.Status``, with ``RetryInfo`` where there is a delay."""
        if self.details is not None:
            try:
                return status_pb2.Status.FromString(self.details)
            except DecodeError:
                pass
        status = status_pb2.Status(code=self.code, message=self.message)
        if self.retry_after is not None:
            delay = duration_pb2.Duration()
            delay.FromNanoseconds(int(self.retry_after * 1e9))
            status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
        return status


def bad_data(message: str) -> Reply:
    """The request can never be taken as it is: 400, INVALID_ARGUMENT."""
    return Reply(INVALID_ARGUMENT, message)


def unavailable(message: str, retry_after: float = 1.0) -> Reply:
    """The request may be taken later: 503 with Retry-After, UNAVAILABLE with RetryInfo."""
    return Reply(UNAVAILABLE, message, retry_after)


def _too_much(what: str) -> Reply:
    """413, RESOURCE_EXHAUSTED without RetryInfo: sending it again cannot help."""
    return Reply(RESOURCE_EXHAUSTED, f"{what}; send smaller batches", status=413)


def too_large(limit: int) -> Reply:
    return _too_much(
        f"the request is larger than {limit // 2**20} MiB after decompression (limits.max_request_mb)"
    )


def too_many_items(limit: int) -> Reply:
    """The request is small as bytes and large once it is parsed."""
    return _too_much(f"the request holds more than {limit} spans, attributes and values (limits.max_items)")


NEEDS_MEMORY = _too_much(
    "reading the request takes more memory than one request may have (limits.max_in_flight_mb)"
)


def busy() -> Reply:
    """There is no memory for the request now."""
    return unavailable("too many requests are under way; send this one again")


def bad_gateway(message: str) -> Reply:
    """The next hop's answer is no answer of OTLP: 502, UNAVAILABLE with RetryInfo."""
    return Reply(UNAVAILABLE, message, 1.0, status=502)


LOOP = Reply(
    FAILED_PRECONDITION,
    "this request has been here before: the next hop leads back to this collector",
    status=508,
)


def http_error(answer: Reply, json: bool) -> HTTPReply:
    """An error as HTTP: ``google.rpc.Status`` in the request's encoding."""
    status = answer.status_message()
    headers: list[tuple[str, str]] = []
    code = answer.http_status
    if code in (429, 503):
        headers.append(("Retry-After", str(max(1, round(answer.retry_after or 1)))))
    if code == 401:
        headers.append(("WWW-Authenticate", "Bearer"))
    if code == 405:
        headers.append(("Allow", "POST"))
    if json:
        return HTTPReply(code, "application/json", _status_json(status), tuple(headers))
    return HTTPReply(code, "application/x-protobuf", status.SerializeToString(), tuple(headers))


def from_http(status: int, body: bytes, json: bool, retry_after: str | None) -> Reply:
    """An HTTP server's error in the neutral form. `body` may be anything."""
    delay = parse_retry_after(retry_after)
    code = _CODE_OF_HTTP.get(status, UNKNOWN)
    if status == 429:
        # 429 is retried over HTTP, but RESOURCE_EXHAUSTED over gRPC only with a delay.
        code = RESOURCE_EXHAUSTED if delay is not None else UNAVAILABLE
    return Reply(code, _message_in(body, json) or f"the next hop answered HTTP {status}", delay)


def retry_delay(details: bytes | None) -> float | None:
    """Seconds in the ``RetryInfo`` of a serialised ``google.rpc.Status``."""
    if not details:
        return None
    try:
        status = status_pb2.Status.FromString(details)
        info = error_details_pb2.RetryInfo()
        for detail in status.details:
            if detail.Unpack(info):
                return _seconds(info)
    except DecodeError:
        pass
    return None


def _seconds(info: error_details_pb2.RetryInfo) -> float:
    # Not every number that is there is a duration.
    seconds = info.retry_delay.seconds + info.retry_delay.nanos / 1e9
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)


def _message_in(body: bytes, json: bool) -> str:
    try:
        if json:
            return str(orjson.loads(body).get("message") or "")[:1000]
        return status_pb2.Status.FromString(body).message[:1000]
    except (DecodeError, orjson.JSONDecodeError, AttributeError):
        return ""


def _status_json(status: status_pb2.Status) -> bytes:
    document: dict[str, object] = {"code": status.code, "message": status.message}
    details: list[dict[str, str]] = []
    for detail in status.details:
        info = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            details.append({"@type": detail.type_url, "retryDelay": f"{_seconds(info):g}s"})
        else:
            details.append({"@type": detail.type_url, "value": base64.b64encode(detail.value).decode()})
    if details:
        document["details"] = details
    return orjson.dumps(document)
