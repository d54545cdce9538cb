"""Who may use the API: the configured key, or a token from ``POST /login`` (an HS256 JWT, RFC 7519)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

_HEADER: Final = {"alg": "HS256", "typ": "JWT"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials that a client must show. ``repr`` holds none of them."""

    organization_id: str
    api_key: str = field(repr=False)
    login: str = field(repr=False)
    password: str = field(repr=False)
    token_secret: str = field(repr=False)
    token_lifetime: float = 3600.0
    """Seconds; the SDK logs in again 5 minutes before the end."""

    def may_log_in(self, login: object, password: object) -> bool:
        return (
            isinstance(login, str)
            and isinstance(password, str)
            and _same(login, self.login)
            and _same(password, self.password)
        )

    def problem(self, token: str | None) -> str | None:
        """Why the value of an ``Authorization`` header does not let its sender in, or None."""
        if not token:
            return "no API key: send it bare in the header Authorization"
        if _same(token, self.api_key):
            return None
        if token.lower().startswith("bearer "):
            return "the header Authorization holds the bare API key, without 'Bearer'"
        claims = self._claims(token)
        if claims is None:
            return "the API key is wrong"
        if claims["exp"] <= time.time():
            return "the login has expired"
        return None

    def new_token(self) -> str:
        """A token for the login, valid for `token_lifetime`."""
        issued = time.time()
        claims = {
            "sub": self.login,
            "organization_id": self.organization_id,
            "iat": int(issued),
            "exp": int(issued + self.token_lifetime),
            "jti": secrets.token_hex(8),
        }
        signed = f"{_encode(orjson.dumps(_HEADER))}.{_encode(orjson.dumps(claims))}"
        return f"{signed}.{self._signature(signed)}"

    def _claims(self, token: str) -> dict[str, Any] | None:
        signed, _, signature = token.rpartition(".")
        if signed.count(".") != 1 or not _same(signature, self._signature(signed)):
            return None
        # We have signed the token, so it is well formed.
        return orjson.loads(_decode(signed.partition(".")[2]))

    def _signature(self, signed: str) -> str:
        return _encode(hmac.new(self.token_secret.encode(), signed.encode(), hashlib.sha256).digest())


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
