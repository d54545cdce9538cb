"""One request to a target and its answer, within one deadline. No retries, no credentials of its own."""

from __future__ import annotations

import gzip
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from otel_arthur.configuration.clear_text import is_loopback
from otel_arthur.http.encoding import Body
from otel_arthur.http.endpoint import API, base_url, names_authorities, tls_context
from otel_arthur.http.errors import ConfigurationError, NotArthur, Unavailable, parse_retry_after
from otel_arthur.http.failures import error_of
from otel_arthur.http.suppression import suppress_instrumentation
from otel_arthur.http.writers import Writers
from otel_arthur.process.per_process import PerProcess
from otel_arthur.process.threads import owner_of_sockets

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

    from otel_arthur.http._adapter import Adapter

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""The size after decompression. The description of a model of a thousand attributes has about 300 kB."""
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    @property
    def retry_after(self) -> float | None:
        """Seconds, None where the target named none."""
        return parse_retry_after(self.headers.get("retry-after"))

    def json(self) -> Any:
        """The parsed body; None where it is no JSON."""
        try:
            return orjson.loads(self.body)
        except ValueError:
            return None


class Transport:
    """HTTP to one endpoint. Thread-safe; a forked child gets connections of its own.

    Args:
        endpoint: ``https://host``, with or without a trailing slash or the API's prefix.
        timeout: seconds for one call from the first byte sent to the last received. Connecting may take
            half of it per address of the host; looking up the host's name is not bounded by it.
        compression: ``none`` or ``gzip``, for request bodies.
        certificate: a PEM file of authorities to trust instead of the system's.
        insecure: allow ``http://`` to other machines and skip certificate checks.

    Proxies come from the environment (``HTTPS_PROXY``, ``NO_PROXY``); this machine is reached directly.

    Raises:
        ConfigurationError: the endpoint cannot be used as given.
    """

    def __init__(
        self,
        endpoint: str,
        api: API,
        *,
        timeout: float = 10.0,
        compression: str = "none",
        certificate: str | None = None,
        insecure: bool = False,
    ) -> None:
        self.url = base_url(endpoint, api, insecure=insecure)
        self._api = api
        self._host = self.url.removesuffix(api.prefix)
        self.timeout = timeout
        self._gzip = compression == "gzip"
        self._certificate = certificate
        self._insecure = insecure
        self._is_near = is_loopback(urlsplit(self.url).hostname or "")
        self._checked_url: str | None = None
        self._user_agent = _user_agent()
        self._adapters: PerProcess[dict[int, Adapter]] = PerProcess(dict)
        self._writers = Writers()

    def __repr__(self) -> str:
        return f"Transport({self.url!r})"

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
    ) -> Answer:
        """Send one request; every HTTP status is an `Answer`, but a redirect's page is an error.

        Args:
            path: below the prefix, with its query, as in ``/models/42?expand=attributes``.
            body: JSON bytes, or as the header ``Content-Type`` says.
            deadline: on `time.monotonic`'s clock; by default `timeout` from now.

        Raises:
            Unavailable: no connection, no whole answer by the deadline, or `stop` was called.
            NotArthur: the answer is larger than `MAX_ANSWER_BYTES`.
            ConfigurationError: the certificate file cannot be used.
        """
        import requests
        import urllib3

        from otel_arthur.http import _adapter

        adapter = self._adapter()
        end = time.monotonic() + self.timeout if deadline is None else deadline
        url = self._base() + path
        sent, body = self._sent(body, headers or {})
        token = _adapter.deadline.set(end)
        writing = _adapter.writers.set(self._writers)
        connecting = _adapter.is_connecting.set(False)
        try:
            with suppress_instrumentation():
                if self._writers.stopped:
                    raise ConnectionAbortedError
                proxy = None if self._is_near else _adapter.proxy_for(url)
                response = adapter.answer_to(method, url, body, sent, proxy)
                try:
                    return _read(response, self._host)
                except BaseException:
                    response.close()
                    raise
                finally:
                    response.release_conn()
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            found = error_of(error, self.url, self._host, self._api.settings)
            if isinstance(found, Unavailable) and _adapter.is_connecting.get():
                found.is_unsent = True
            raise found from None
        finally:
            _adapter.is_connecting.reset(connecting)
            _adapter.writers.reset(writing)
            _adapter.deadline.reset(token)

    def close(self) -> None:
        """Close idle connections. A later call opens new ones."""
        for adapter in (self._adapters.drop() or {}).values():
            adapter.close()

    def stop(self) -> None:
        """Send nothing any more: a request that is being written is cut, and later calls fail.

        The method does not wait. The answer to a wholly written request is still read.
        """
        self._writers.stop()

    def _adapter(self) -> Adapter:
        adapters, owner = self._adapters.get(), owner_of_sockets()
        adapter = adapters.get(owner)
        return adapters.setdefault(owner, self._new_adapter()) if adapter is None else adapter

    def _new_adapter(self) -> Adapter:
        from otel_arthur.http._adapter import Adapter

        if self._is_near and self.url.startswith("http://") and not names_authorities(self._certificate):
            return Adapter(None)  # The system's certificates take 30 ms to read.
        return Adapter(tls_context(self._api, certificate=self._certificate, insecure=self._insecure))

    def _base(self) -> str:
        """The URL of the API, as a connection needs it."""
        if self._checked_url is None:
            from requests import Request
            from requests.exceptions import InvalidURL

            try:
                self._checked_url = str(Request("GET", self.url).prepare().url)
            except InvalidURL:
                raise ConfigurationError(
                    "the endpoint's host name is not valid; write it as in https://app.arthur.ai"
                ) from None
        return self._checked_url

    def _sent(self, body: Body | None, headers: Mapping[str, str]) -> tuple[Mapping[str, str], Body | None]:
        sent = {"Accept": "application/json", "User-Agent": self._user_agent, "Accept-Encoding": "gzip"}
        sent.update(headers)
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
            if self._gzip:
                sent["Content-Encoding"] = "gzip"
                body = gzip.compress(body, compresslevel=6, mtime=0)
        return sent, body


def _read(response: BaseHTTPResponse, host: str) -> Answer:
    parts: list[bytes] = []
    size = 0
    for part in response.stream(_CHUNK, decode_content=True):
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            raise NotArthur(f"{host} answered with more than {MAX_ANSWER_BYTES // 1024**2} MiB")
        parts.append(part)
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, headers, b"".join(parts), _cookies(response))


def _cookies(response: BaseHTTPResponse) -> dict[str, str]:
    """Cookies set by the answer, by name. Read off the header: a jar would drop those of another domain."""
    lines = response.headers.getlist("Set-Cookie")
    pairs = (line.partition(";")[0].partition("=") for line in lines)
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def _user_agent() -> str:
    from importlib.metadata import version

    try:
        return f"otel-arthur/{version('otel-arthur')}"
    except Exception:  # not installed, or its record is broken: as many errors as ways to break it
        return "otel-arthur"
