"""Where local Arthur may listen, and for which Host header it answers."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from otel_arthur.configuration.clear_text import is_loopback

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def host_name(header: str) -> str:
    """The name or address of a Host header, without its port and brackets."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower().rstrip(".")


def may_serve(header: str, bound: str, names: Collection[str] = ()) -> bool:
    """Whether a request with this Host header is meant for us.

    A foreign page can make its own name resolve to 127.0.0.1 (DNS rebinding), but the browser still sends
    that name. An address cannot be rebound: a server on a wildcard address answers to any address.
    """
    name = host_name(header)
    if is_loopback(name) or name == bound.lower() or name in names:
        return True
    return bound in ("0.0.0.0", "::") and _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class GuardMiddleware:
    """Refuses foreign Host headers with 421 and puts `SECURITY_HEADERS` on every answer."""

    def __init__(self, app: ASGIApp, bound: str, names: Collection[str] = ()) -> None:
        self._app = app
        self._bound = bound
        self._names = frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if may_serve(Headers(scope=scope).get("host", ""), self._bound, self._names):
            await self._app(scope, receive, guarded)
        else:
            refusal = JSONResponse({"error": "this Host is not served here"}, 421)
            await refusal(scope, receive, guarded)
