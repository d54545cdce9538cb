"""Errors of a request to either target.

``str(error)`` is one line, fit for a log: it never holds a key, a password, a prompt or a request body.
"""

from __future__ import annotations

import math
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import ClassVar

MAX_RETRY_AFTER = 86_400.0
"""Seconds. A longer ``Retry-After`` is taken for a mistake and cut to this."""

RETRYABLE_STATUSES = frozenset({408, 425, 429})
"""Client error statuses that may pass by themselves, as every 5xx may."""


class ArthurError(Exception):
    """Base of all errors of a request, and of an answer that targets refuse.

    Attributes:
        retryable: the same call may succeed later without any change.
        status: the HTTP status of the answer, None where there was no answer.
        retry_after: seconds that Arthur asked to wait, None without such a request.
        detail: Arthur's own words, at most 300 characters, without the credentials. They may quote the
            request: fit for a dead letter's reason or a terminal, never for a log.
    """

    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.detail = detail


class ConfigurationError(ArthurError):
    """The endpoint, the credentials or the certificate cannot be used."""


class Unavailable(ArthurError):
    """No connection, no answer in time, or 408, 425, 429, 5xx.

    Attributes:
        is_unsent: no connection was made, so no byte of the request has left.
    """

    retryable = True
    is_unsent = False


class NotArthur(ArthurError):
    """Something else answered: a proxy's page, a redirect to a login form. May pass; retry slowly."""

    retryable = True


def parse_retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds to wait by a ``Retry-After`` header: seconds or an HTTP date (RFC 9110, 10.2.3).

    None for a missing or unreadable header; a date in the past is 0.
    """
    if value is None or not (text := value.strip()):
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        seconds = (moment - (now or datetime.now(timezone.utc))).total_seconds()
    return None if math.isnan(seconds) else min(max(seconds, 0.0), MAX_RETRY_AFTER)
