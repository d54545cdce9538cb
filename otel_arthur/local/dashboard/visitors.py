"""Access to the pages: for a browser that opened the printed link, or a client with the API key."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from otel_arthur.local.authentication import Credentials

Page = Callable[[Request], Response]


class Visitors:
    """Other users of this machine reach its loopback address too, and find neither link nor key."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._tokens: set[str] = set()
        self._sessions: set[str] = set()

    def new_token(self) -> str:
        """The ``?token=`` of a link. The token lets in one browser, which then has a cookie."""
        token = secrets.token_urlsafe(24)
        self._tokens.add(token)
        return token

    def guarded(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        """The page, for visitors that are let in. A thread makes it, since it waits for the database."""

        async def guarded(request: Request) -> Response:
            # Cookies do not tell ports apart, and several servers may run.
            cookie = f"otel_arthur_local_{request.url.port}"
            if request.cookies.get(cookie) in self._sessions or self._has_key(request):
                return await run_in_threadpool(page, request)
            token = request.query_params.get("token", "")
            if request.method != "GET" or token not in self._tokens:
                raise HTTPException(
                    401,
                    "open the link that was printed when this local Arthur started (it works once), "
                    "or give its API key as the password",
                    {"WWW-Authenticate": 'Basic realm="local Arthur", charset="UTF-8"'},
                )
            self._tokens.discard(token)
            session = secrets.token_urlsafe(24)
            self._sessions.add(session)
            response = await run_in_threadpool(page, request)
            response.set_cookie(cookie, session, httponly=True, samesite="lax")
            return response

        return guarded

    def _has_key(self, request: Request) -> bool:
        given = request.headers.get("authorization", "")
        scheme, _, encoded = given.partition(" ")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(encoded, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return False
        return self._credentials.problem(given) is None
