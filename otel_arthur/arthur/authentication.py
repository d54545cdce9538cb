"""Who we are to Arthur: an API key, or a login whose token is renewed, and an organization."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson

from otel_arthur.arthur.errors import Unauthorized, error_for, object_in
from otel_arthur.http.encoding import encode
from otel_arthur.http.errors import ConfigurationError, NotArthur, Unavailable
from otel_arthur.http.transport import Transport
from otel_arthur.process.per_process import PerProcess

RENEW_BEFORE_EXPIRY = 300.0
"""Seconds, as the SDK has it."""
_ASKING: Final = "asking for the organization"


@dataclass(slots=True)
class _Token:
    value: str
    renew_at: float
    """A `time.time`; infinite for a token without an expiry."""


class Authentication:
    """The headers of a request. Nothing is asked from Arthur before `headers` is first called.

    Args:
        api_key: sent as it is; with it the login is not used.
        login, password: exchanged for a token at ``POST /login``.
        organization_id: asked from ``GET /users/me`` where it is None.

    Raises:
        ConfigurationError: no key and no login with password, or a value that no header can carry.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        login: str | None = None,
        password: str | None = None,
        organization_id: str | None = None,
    ) -> None:
        if not api_key and not (login and password):
            raise ConfigurationError(
                "no credentials: set OTEL_EXPORTER_ARTHUR_API_KEY, or OTEL_EXPORTER_ARTHUR_LOGIN "
                "and OTEL_EXPORTER_ARTHUR_PASSWORD"
            )
        self._key = (
            _header_value(api_key.strip(), "the API key (OTEL_EXPORTER_ARTHUR_API_KEY)") if api_key else None
        )
        self._login = login
        self._password = password
        self._organization = (
            _header_value(organization_id.strip(), "the organization (OTEL_EXPORTER_ARTHUR_ORGANIZATION_ID)")
            if organization_id
            else None
        )
        self._token: _Token | None = None
        self._lock = PerProcess(threading.Lock)

    def __repr__(self) -> str:
        return f"Authentication({'api_key' if self._key else 'login'})"

    def headers(self, transport: Transport, deadline: float) -> dict[str, str]:
        """``Authorization`` and ``Arthur-Organization-ID``, logging in and asking where needed.

        Raises:
            Unauthorized: wrong key, login or password.
            ConfigurationError: several organizations to choose from, or none.
            ArthurError: Arthur did not answer.
        """
        with self._alone(deadline):
            token = self._current_token(transport, deadline)
            if self._organization is None:
                try:
                    self._organization = self._ask_organization(transport, token, deadline)
                except Unauthorized:
                    # Otherwise the next call would ask again with the refused token.
                    self._token = None
                    raise
            return {"Authorization": token, "Arthur-Organization-ID": self._organization}

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forget the token that got a 401; False for an API key, which cannot be renewed.

        Args:
            refused: the headers of the refused request, so that only the first of several threads renews.
        """
        if self._key is not None:
            return False
        token = self._token
        if token is not None and token.value == refused.get("Authorization"):
            self._token = None
        return True

    def scrub(self, text: str) -> str:
        """`text` without any of our secrets in it."""
        token = self._token
        for secret in (self._key, self._password, token.value if token is not None else None):
            if secret:
                text = text.replace(secret, "***")
        return text

    @contextmanager
    def _alone(self, deadline: float) -> Generator[None, None, None]:
        lock = self._lock.get()
        if not lock.acquire(timeout=max(deadline - time.monotonic(), 0.0)):
            raise Unavailable("Arthur did not answer the login in time")
        try:
            yield
        finally:
            lock.release()

    def _current_token(self, transport: Transport, deadline: float) -> str:
        if self._key is not None:
            return self._key
        if self._token is None or time.time() >= self._token.renew_at:
            self._token = self._log_in(transport, deadline)
        return self._token.value

    def _log_in(self, transport: Transport, deadline: float) -> _Token:
        body = encode({"login": self._login, "password": self._password})
        answer = transport.request("POST", "/login", body=body, deadline=deadline)
        if answer.status == 401:
            raise Unauthorized(
                "Arthur refused the login (401); check OTEL_EXPORTER_ARTHUR_LOGIN and "
                "OTEL_EXPORTER_ARTHUR_PASSWORD",
                status=401,
            )
        if answer.status != 200:
            raise error_for(answer.status, "logging in", retry_after=answer.retry_after)
        value = answer.cookies.get("Authorization")
        if not value:
            raise NotArthur("logging in: the answer has no Authorization cookie", status=200)
        now = time.time()
        return _Token(_header_value(value, "the login's token"), _renewal_time(value, now))

    def _ask_organization(self, transport: Transport, token: str, deadline: float) -> str:
        headers = {"Authorization": token}
        answer = transport.request("GET", "/users/me", headers=headers, deadline=deadline)
        if answer.status == 200:
            found = object_in(answer, _ASKING).get("organization_id")
            if isinstance(found, str) and found:
                return _header_value(found, "the organization id")
        elif answer.status != 403:
            raise error_for(answer.status, _ASKING, retry_after=answer.retry_after)
        # This is the only description of users of an external identity provider.
        answer = transport.request("GET", "/users/me/auth_info", headers=headers, deadline=deadline)
        if answer.status != 200:
            raise error_for(answer.status, _ASKING, retry_after=answer.retry_after)
        listed = object_in(answer, _ASKING).get("organization_ids")
        ids = [i for i in cast("list[Any]", listed) if isinstance(i, str)] if isinstance(listed, list) else []
        if len(ids) == 1:
            return _header_value(ids[0], "the organization id")
        choice = f"one of {', '.join(ids)}" if ids else "the organization to use"
        count = f"{len(ids)} organizations" if ids else "no organization"
        raise ConfigurationError(
            f"these credentials belong to {count}; set OTEL_EXPORTER_ARTHUR_ORGANIZATION_ID to {choice}"
        )


def _renewal_time(token: str, now: float) -> float:
    """When to renew a JWT (RFC 7519): 5 minutes before ``exp``, or after half of a short life."""
    try:
        payload = token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        expiry = float(claims["exp"])
        # By the token's own clock where it has one: this machine's may be wrong.
        lifetime = expiry - float(claims.get("iat", now))
    except (ValueError, LookupError, TypeError, AttributeError):
        return float("inf")
    if lifetime <= 0:
        return float("inf")
    return now + max(lifetime - RENEW_BEFORE_EXPIRY, lifetime / 2)


def _header_value(value: str, what: str) -> str:
    # requests would quote the value in its error.
    if not value.isascii() or not value.isprintable():
        raise ConfigurationError(
            f"{what} holds a character that an HTTP header cannot carry, as a line's end; set it anew"
        )
    return value
