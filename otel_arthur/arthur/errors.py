"""Arthur's answers: a JSON object, or an error class for each reaction of a caller."""

from __future__ import annotations

from typing import Any, Final, cast

from otel_arthur.http.errors import RETRYABLE_STATUSES, ArthurError, NotArthur, Unavailable
from otel_arthur.http.transport import Answer


class Unauthorized(ArthurError):
    """401: the key or the login is wrong, or the token expired and could not be renewed."""


class Forbidden(ArthurError):
    """403: the key is known but may not do this."""


class NotFound(ArthurError):
    """404: there is no such model (or no such API at this address)."""


class PayloadTooLarge(ArthurError):
    """413: the same rows may fit in smaller requests."""


class Refused(ArthurError):
    """Any other 4xx: sending the same again gets the same answer."""


class AlreadyExists(ArthurError):
    """A model of that name exists; `model_id` is its id, if known."""

    def __init__(self, message: str, *, model_id: str | None = None, status: int | None = None) -> None:
        super().__init__(message, status=status)
        self.model_id = model_id


class ProvisioningFailed(ArthurError):
    """The model ended in a status from which it will not become ready."""


class InDoubt(ArthurError):
    """The answer does not have each row's outcome. Rows are idempotent by id: present them again."""

    retryable = True


_ERRORS: Final[dict[int, tuple[type[ArthurError], str]]] = {
    401: (
        Unauthorized,
        "Arthur refused the credentials (401); check OTEL_EXPORTER_ARTHUR_API_KEY, "
        "or OTEL_EXPORTER_ARTHUR_LOGIN and OTEL_EXPORTER_ARTHUR_PASSWORD",
    ),
    402: (Refused, "payment required (402)"),
    403: (Forbidden, "not allowed for these credentials in this organization (403)"),
    404: (NotFound, "not found (404)"),
    413: (PayloadTooLarge, "the request is too large for Arthur (413)"),
}


def error_for(
    status: int, what: str, *, retry_after: float | None = None, detail: str | None = None
) -> ArthurError:
    """The error for an HTTP status that is no success.

    Args:
        what: the call in a few words, as in ``sending inferences to model 42``.
    """
    if status in RETRYABLE_STATUSES or status >= 500:
        text = f"{what}: Arthur is unavailable ({status})"
        return Unavailable(text, status=status, retry_after=retry_after, detail=detail)
    if status >= 400:
        kind, text = _ERRORS.get(status, (Refused, f"refused ({status})"))
        return kind(f"{what}: {text}", status=status, detail=detail)
    if status >= 300:
        text = (
            f"answered with a redirect ({status}), which is not followed; "
            "OTEL_EXPORTER_ARTHUR_ENDPOINT must be Arthur's own address"
        )
    else:
        text = f"answered with the unexpected status {status}"
    return NotArthur(f"{what}: {text}", status=status)


def not_arthur(what: str, status: int | None) -> NotArthur:
    """The error for an answer that is not Arthur's JSON."""
    return NotArthur(
        f"{what}: something that is not Arthur's API answered; check OTEL_EXPORTER_ARTHUR_ENDPOINT and "
        "the proxies on the way",
        status=status,
    )


def object_in(answer: Answer, what: str) -> dict[str, Any]:
    """The body of an answer, which must be a JSON object; `what` as for `error_for`.

    Raises:
        NotArthur: the body is no JSON object.
    """
    value = answer.json()
    if not isinstance(value, dict):
        raise not_arthur(what, answer.status)
    return cast("dict[str, Any]", value)
