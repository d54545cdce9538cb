"""What can go wrong with a call to Arthur, one class per thing that a caller does differently.

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
"""Client error statuses that may pass by themselves; every 5xx may as well."""


class ArthurError(Exception):
    """Base of all errors of this room.

    Attributes:
        retryable: the same call may succeed later without anything being changed.
        status: the HTTP status that was answered, None where there was no answer.
        retry_after: seconds that Arthur asked to wait, None where it did not say.
        detail: Arthur's own words, at most 300 characters, the credentials taken out. They may quote what
            was sent: fit for a dead letter's reason or a terminal, never for a log.
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
    """The endpoint, the credentials or the certificate cannot be used as they are given."""


class Unauthorized(ArthurError):
    """401: the key or the login is wrong, or the token expired and could not be renewed."""


class Forbidden(ArthurError):
    """403: the key is known but may not do this."""


class NotFound(ArthurError):
    """404: there is no such model (or no such API at this address)."""


class PayloadTooLarge(ArthurError):
    """413: the same rows may fit when they are sent in smaller requests."""


class Refused(ArthurError):
    """Any other 4xx: sending the same again gets the same answer."""


class AlreadyExists(ArthurError):
    """A model of that name exists; `model_id` is the id of the one that does, where it is known."""

    def __init__(self, message: str, *, model_id: str | None = None, status: int | None = None) -> None:
        super().__init__(message, status=status)
        self.model_id = model_id


class ProvisioningFailed(ArthurError):
    """The model ended in a status from which it will not become ready."""


class Unavailable(ArthurError):
    """No connection, no answer in time, or 408, 425, 429, 5xx.

    Attributes:
        is_unsent: no connection was made, so nothing of the request has left.
    """

    retryable = True
    is_unsent = False


class InDoubt(ArthurError):
    """The answer does not say what became of each row. Rows are idempotent by id: present them again."""

    retryable = True


class NotArthur(ArthurError):
    """Something else answered: a proxy's page, a redirect to a login form. May pass; retry slowly."""

    retryable = True


def error_for(
    status: int, what: str, *, retry_after: float | None = None, detail: str | None = None
) -> ArthurError:
    """The error for an HTTP status that is no success.

    Args:
        what: the call in a few words, as in ``sending inferences to model 42``.
    """
    if status == 401:
        return Unauthorized(
            f"{what}: Arthur refused the credentials (401); check OTEL_EXPORTER_ARTHUR_API_KEY, "
            "or OTEL_EXPORTER_ARTHUR_LOGIN and OTEL_EXPORTER_ARTHUR_PASSWORD",
            status=status,
            detail=detail,
        )
    if status == 403:
        return Forbidden(
            f"{what}: not allowed for these credentials in this organization (403)",
            status=status,
            detail=detail,
        )
    if status == 404:
        return NotFound(f"{what}: not found (404)", status=status, detail=detail)
    if status == 413:
        return PayloadTooLarge(
            f"{what}: the request is too large for Arthur (413)", status=413, detail=detail
        )
    if 300 <= status < 400:
        return NotArthur(
            f"{what}: answered with a redirect ({status}), which is not followed; "
            "OTEL_EXPORTER_ARTHUR_ENDPOINT must be Arthur's own address",
            status=status,
        )
    if status in RETRYABLE_STATUSES or status >= 500:
        return Unavailable(
            f"{what}: Arthur is unavailable ({status})",
            status=status,
            retry_after=retry_after,
            detail=detail,
        )
    if 400 <= status < 500:
        reason = "payment required" if status == 402 else "refused"
        return Refused(f"{what}: {reason} ({status})", status=status, detail=detail)
    return NotArthur(f"{what}: answered with the unexpected status {status}", status=status)


def not_arthur(what: str, status: int | None) -> NotArthur:
    """The error for an answer that is not Arthur's JSON."""
    return NotArthur(
        f"{what}: something that is not Arthur's API answered; check OTEL_EXPORTER_ARTHUR_ENDPOINT and "
        "the proxies on the way",
        status=status,
    )


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
