"""Below the transport: urllib3's connections, with system certificates, and one deadline for a whole call.

Of `requests` only the adapter's way to proxies is used: its other work around a request costs as much as the
request itself.

A socket's timeout holds for each operation, so a server that sends one byte at a time can hold a call for
hours (psf/requests#1928). Here each read and write gets the rest of the call's time instead.

This module alone knows the insides of urllib3 and requests, read from urllib3 1.26.20 and 2.8.0
(``connectionpool.py``, ``connection.py``, ``poolmanager.py``), requests 2.28.0 and 2.34.2 (``adapters.py``);
`tests/http/test_inside_urllib3.py` runs on the oldest and the newest, and with the part removed.

Imported by the transport on its first call, as it brings `requests` along.
"""

from __future__ import annotations

import io
import logging
import ssl
import time
from collections.abc import Mapping
from contextvars import ContextVar
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidProxyURL
from requests.utils import get_environ_proxies, select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import Timeout, parse_url

from otel_arthur.http.encoding import Body
from otel_arthur.http.writers import Writers

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

_logger = logging.getLogger("otel_arthur")
deadline: ContextVar[float] = ContextVar("otel_arthur_call_deadline")
"""When the running call must end, on `time.monotonic`'s clock."""
is_connecting: ContextVar[bool] = ContextVar("otel_arthur_call_is_connecting", default=False)
"""Whether the running call has no connection yet, nor TLS and a proxy's tunnel: nothing of it has left."""
writers: ContextVar[Writers] = ContextVar("otel_arthur_call_writers")
"""Those of the transport whose call runs."""

_SEND_SIZE = 256 * 1024
_CONNECTIONS = 64
"""Idle connections at most. Few are ever open; urllib3 would log a warning for each one beyond."""


def _remaining() -> float:
    left = deadline.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


class _Reader(io.RawIOBase):
    """Reads a socket within the call's deadline."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._raw: io.RawIOBase = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_remaining())
        return self._raw.readinto(buffer)  # type: ignore[attr-defined]

    def close(self) -> None:
        # The socket counts its open files and outlives none of them.
        self._raw.close()
        super().close()


class _DeadlineSocket:
    """A connected socket whose reading and writing ends at the call's deadline."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def makefile(self, *_args: Any, **_options: Any) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock))

    def sendall(self, data: Any) -> None:
        view = memoryview(data).cast("B")
        sent = 0
        with writers.get().writing(self._sock):
            while sent < len(view):
                self._sock.settimeout(_remaining())
                sent += self._sock.send(view[sent : sent + _SEND_SIZE])


class _HTTPConnection(HTTPConnection):
    def connect(self) -> None:
        is_connecting.set(True)
        super().connect()
        self.sock = _DeadlineSocket(self.sock)  # type: ignore[assignment]
        is_connecting.set(False)


class _HTTPSConnection(_HTTPConnection, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection  # type: ignore[assignment]


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection  # type: ignore[assignment]

    def _validate_conn(self, conn: Any) -> None:
        # Not super(): it warns of each unverified connection, and a library does not print.
        if conn.sock is None:
            conn.connect()


_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}


def _use_our_pools(manager: Any) -> None:
    """Fallback: the time limit holds for each read and write separately."""
    if hasattr(manager, "pool_classes_by_scheme"):
        manager.pool_classes_by_scheme = _POOLS
    else:
        _logger.warning(
            "otel-arthur: this urllib3 is not one that we know; a request to Arthur may take longer than "
            "its time limit"
        )


class Adapter(HTTPAdapter):
    """Sends one request: no redirects, no cookies, no netrc, no retries.

    Args:
        context: of TLS; None where the address is ``http://``, and no proxy is asked.
    """

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        # Said as well as in the context: urllib3 would take its own default for it.
        is_required = context is not None and context.verify_mode == ssl.CERT_REQUIRED
        self._required = "CERT_REQUIRED" if is_required else "CERT_NONE"
        if context is not None and version("urllib3").startswith("1."):
            # It compares names itself, and can do so for addresses only when the context does not.
            context.check_hostname = False
        super().__init__(pool_connections=2, pool_maxsize=_CONNECTIONS, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, cert_reqs=self._required, **options)
        _use_our_pools(self.poolmanager)  # type: ignore[attr-defined]

    def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(
            proxy, ssl_context=self._context, cert_reqs=self._required, **options
        )
        if not str(proxy).lower().startswith("socks"):
            _use_our_pools(manager)
        return manager

    def answer_to(
        self, method: str, url: str, body: Body | None, headers: Mapping[str, str], proxy: str | None
    ) -> BaseHTTPResponse:
        """The head of the answer, within the running call's `deadline`.

        Args:
            proxy: its URL.

        Raises:
            HTTPError, RequestException, OSError, ValueError: there is no answer.
        """
        left = _remaining()
        manager: Any = self.poolmanager if proxy is None else self.proxy_manager_for(proxy)  # type: ignore[attr-defined]
        return manager.urlopen(
            method,
            url,
            body=body,
            headers=headers,
            # A host name mostly has two addresses, tried one after the other.
            timeout=Timeout(connect=left / 2, read=left),
            retries=False,
            redirect=False,
            preload_content=False,
        )


def proxy_for(url: str) -> str | None:
    """The URL of the proxy that the environment names for `url`, if any.

    Raises:
        InvalidProxyURL: the value is no URL of a proxy.
    """
    found = select_proxy(url, get_environ_proxies(url, no_proxy=None))
    if not found:
        return None
    proxy = found if "://" in found else f"http://{found}"
    if not parse_url(proxy).host:
        raise InvalidProxyURL
    return proxy
