"""`Admission`: what is held at once, and who may come in. Shared by both receivers."""

from __future__ import annotations

import hmac
from collections.abc import Generator
from contextlib import contextmanager

from otel_arthur.collector import replies
from otel_arthur.collector.replies import Reply


class Admission:
    """Bytes of requests that are not answered yet. For one event loop."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.held = 0
        self.requests = 0

    @property
    def is_full(self) -> bool:
        """Whether a further request must wait outside."""
        return self.held >= self.max_bytes

    def refusal(self) -> Reply:
        """What a sender is told then."""
        return replies.unavailable("too many requests are under way; send this one again")

    @contextmanager
    def request(self) -> Generator[Hold]:
        """One request from its first byte to its answer."""
        hold = Hold(self)
        self.requests += 1
        try:
            yield hold
        finally:
            self.requests -= 1
            hold.release()


class Hold:
    """How much one request holds."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._bytes = 0

    def hold(self, count: int) -> None:
        """This many bytes more."""
        self._bytes += count
        self._admission.held += count

    def release(self) -> None:
        """All of them."""
        self._admission.held -= self._bytes
        self._bytes = 0


def is_authorized(header: str | bytes | None, token: str | None) -> bool:
    """Whether an ``Authorization`` header holds the bearer token; in constant time."""
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
