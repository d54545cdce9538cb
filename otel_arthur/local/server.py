"""Local Arthur as a running server."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import uuid
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import platformdirs
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from otel_arthur.configuration.clear_text import is_loopback
from otel_arthur.local.access import GuardMiddleware
from otel_arthur.local.authentication import Credentials
from otel_arthur.local.bodies import answer
from otel_arthur.local.dashboard.pages import Pages
from otel_arthur.local.dashboard.rendering import render
from otel_arthur.local.dashboard.traces import TracePages
from otel_arthur.local.dashboard.visitors import Visitors
from otel_arthur.local.database import IN_MEMORY
from otel_arthur.local.engine.api import EngineApi, Refused, engine_refusal
from otel_arthur.local.engine.traces import Traces
from otel_arthur.local.store import Store
from otel_arthur.local.v3.api import Api

DEFAULT_PORT: Final = 8188
DEFAULT_LOGIN: Final = "local"
_GRACE_SECONDS: Final = 1
_STOP_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.01


class LocalArthurError(Exception):
    """Local Arthur cannot start; the message is one line with the cause and the fix."""


class RemoteAddressRefused(LocalArthurError):
    """An address that other machines reach, without `allow_remote`."""


def default_database() -> Path:
    """The database of ``otel-arthur local``: a file in the user's state folder."""
    return platformdirs.user_state_path("otel-arthur", appauthor=False) / "otel-arthur-local.db"


class LocalArthur:
    """Arthur's API and a few pages on this machine, for development and tests.

    Within ``with`` it runs in a thread of its own. `stop` and `start` again keep port, key and
    data: an outage. `close` (the end of ``with``) also closes the store.

    Args:
        host: the address to listen at; other than loopback only with `allow_remote`.
        port: 0 takes a free one, which later starts keep.
        db: the database file; the default is memory, gone with `close`.
        api_key: the default is a random key that is kept with the database.
        login, password: for ``POST /login``; the default password is the API key.
        organization_id: the default is a random one that is kept with the database.
        accept_duplicates: keep repeated ids as further presentations instead of refusing them.
        max_body_bytes: the size of one JSON request, inflated; more is a 413.
        token_lifetime: seconds that a login lasts.
        allowed_hosts: further names in Host headers to answer to.
        engine_keys: keys of the Engine's API, with the role of each; the default is the API key, which
            may do all.
        engine_seconds: how long the Engine's API takes for each span, and for each trace, of a request.

    Raises:
        RemoteAddressRefused: a remote `host` without `allow_remote`.
        StoreError: `db` cannot be used.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        db: Path | str = IN_MEMORY,
        api_key: str | None = None,
        *,
        login: str = DEFAULT_LOGIN,
        password: str | None = None,
        organization_id: str | None = None,
        accept_duplicates: bool = False,
        max_body_bytes: int = 32 * 1024 * 1024,
        token_lifetime: float = 3600.0,
        allow_remote: bool = False,
        allowed_hosts: Collection[str] = (),
        engine_keys: Mapping[str, str] | None = None,
        engine_seconds: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        if not is_loopback(host) and not allow_remote:
            raise RemoteAddressRefused(
                f"{host!r} is not a loopback address: local Arthur is for this machine alone; "
                "--allow-remote opens it to the network all the same"
            )
        self.host = host
        self.port = port
        self.store = Store(db)
        key = api_key or self.store.setting("api_key", lambda: secrets.token_urlsafe(24))
        self._credentials = Credentials(
            organization_id=organization_id
            or self.store.setting("organization_id", lambda: str(uuid.uuid4())),
            api_key=key,
            login=login,
            password=password or key,
            token_secret=self.store.setting("token_secret", lambda: secrets.token_hex(32)),
            token_lifetime=token_lifetime,
        )
        api = Api(self.store, self._credentials, accept_duplicates, max_body_bytes)
        engine = EngineApi(
            Traces(self.store), engine_keys or {key: "TASK-ADMIN"}, *engine_seconds, max_body_bytes
        )
        self.traces = engine.traces
        self._visitors = Visitors(self._credentials)
        pages = Pages(self.traces, self._visitors, key)
        traces = TracePages(self.traces, self._visitors)
        self.app = Starlette(
            routes=[*api.routes(), *engine.routes(), *pages.routes(), *traces.routes()],
            middleware=[Middleware(GuardMiddleware, bound=host, names=allowed_hosts)],
            exception_handlers={HTTPException: _refused, Refused: engine_refusal, Exception: _failed},
        )
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def api_key(self) -> str:
        return self._credentials.api_key

    @property
    def organization_id(self) -> str:
        return self._credentials.organization_id

    @property
    def url(self) -> str:
        """The base address, without the API's prefix, for the exporter's ENDPOINT."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def dashboard_link(self) -> str:
        """A link to the pages that lets in one browser, without a key."""
        return f"{self.url}/?token={self._visitors.new_token()}"

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> LocalArthur:
        """Listen; returns once requests are answered.

        Raises:
            LocalArthurError: the address is taken or not this machine's.
        """
        if self.is_running:
            return self
        listener = self._listen()
        self.port = listener.getsockname()[1]
        server = uvicorn.Server(
            uvicorn.Config(
                self.app,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        # Without a handler of the application's, Python would print uvicorn's warnings on stderr.
        logging.getLogger("uvicorn").addHandler(logging.NullHandler())
        thread = threading.Thread(target=_run, args=(server, listener), name="local-arthur", daemon=True)
        self._server, self._thread = server, thread
        thread.start()
        while thread.is_alive() and not server.started:
            thread.join(_POLL_SECONDS)
        if not server.started:
            self.stop()
            raise LocalArthurError(f"local Arthur did not start on {self.host}:{self.port}")
        return self

    def stop(self) -> None:
        """Stop answering and free the port, within a few seconds; the store stays open."""
        server, thread = self._server, self._thread
        self._server = self._thread = None
        if server is None or thread is None:
            return
        server.should_exit = True
        thread.join(_STOP_SECONDS)
        if thread.is_alive():
            server.force_exit = True
            thread.join(_STOP_SECONDS)

    def close(self) -> None:
        self.stop()
        self.store.close()

    def __enter__(self) -> LocalArthur:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _listen(self) -> socket.socket:
        try:
            family, _, _, _, address = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
        except OSError as error:
            raise LocalArthurError(f"cannot listen on {self.host}:{self.port}: {error}") from error
        is_both = family == socket.AF_INET6 and socket.has_dualstack_ipv6()
        try:
            return socket.create_server(address, family=family, backlog=2048, dualstack_ipv6=is_both)
        except OSError as error:
            why = os.strerror(error.errno or 0)
            raise LocalArthurError(
                f"cannot listen on {self.host}:{self.port}: {why}; --port 0 takes a free port"
            ) from error


def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    with listener:
        server.run(sockets=[listener])


async def _refused(request: Request, error: Exception) -> Response:
    status, detail = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "")
    response = _error(request, status, detail)
    response.headers.update(getattr(error, "headers", None) or {})
    return response


async def _failed(request: Request, error: Exception) -> Response:
    """An error of ours: its type, and nothing of the request."""
    return _error(request, 500, f"internal error: {type(error).__name__}")


def _error(request: Request, status: int, detail: str) -> Response:
    """A page for a browser, JSON for all others."""
    if "text/html" in request.headers.get("accept", ""):
        return render("error.html", status, code=status, detail=detail)
    return answer({"error": detail}, status)
