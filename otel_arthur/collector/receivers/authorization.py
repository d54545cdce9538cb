"""Who may come in: a bearer token, compared in constant time."""

from __future__ import annotations

import hmac

from otel_arthur.collector.otlp import replies
from otel_arthur.collector.otlp.replies import Reply


def is_authorized(header: str | bytes | None, token: str | None) -> bool:
    """Whether an ``Authorization`` header holds the bearer token."""
    if token is None:
        return True
    value = header.encode("latin-1", "replace") if isinstance(header, str) else header or b""
    scheme, _, credentials = value.partition(b" ")
    return scheme.lower() == b"bearer" and hmac.compare_digest(credentials.strip(), token.encode())


UNAUTHENTICATED = Reply(
    replies.UNAUTHENTICATED,
    "this receiver needs the header Authorization: Bearer, with its token",
    status=401,
)
