"""Why a request failed without an answer, in one line."""

from __future__ import annotations

import os
from typing import Any

from otel_arthur.http.errors import ArthurError, ConfigurationError, Unavailable


def error_of(error: BaseException, url: str, host: str, settings: str) -> ArthurError:
    """One line without the error's own text, which may quote a proxy's password or a header.

    Args:
        url: the requested URL.
        host: the server's name in messages.
        settings: the beginning of the variables in messages.
    """
    import urllib3

    said = _said(error, host, settings, _proxy_variable(url))
    early = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    if isinstance(said, Unavailable):
        said.is_unsent = any(isinstance(cause, early) for cause in _causes(error))
    return said


def _said(error: BaseException, host: str, settings: str, proxy: str | None) -> ArthurError:
    import ssl

    from requests.exceptions import InvalidProxyURL, InvalidSchema
    from urllib3 import exceptions

    no_address = (InvalidProxyURL, exceptions.LocationParseError, exceptions.ProxySchemeUnknown)
    causes = list(_causes(error))
    for cause in causes:
        # urllib3 1 has its own error for a name that does not match.
        if isinstance(cause, ssl.SSLCertVerificationError) or type(cause).__name__ == "CertificateError":
            reason = getattr(cause, "verify_message", None) or "its name does not match"
            return Unavailable(
                f"the certificate of {host} cannot be verified ({reason}); "
                f"{settings}_CERTIFICATE names a PEM file of authorities to trust"
            )
    if proxy is not None:
        if any(isinstance(cause, InvalidSchema) for cause in causes):
            return ConfigurationError(
                f"{proxy} names a SOCKS proxy; pip install pysocks, or name another proxy"
            )
        if any(isinstance(cause, no_address) for cause in causes):
            return ConfigurationError(f"{proxy} is no address of a proxy; write it as http://host:port")
        if any(isinstance(cause, exceptions.ProxyError) for cause in causes):
            return Unavailable(f"{host} cannot be reached through the proxy that {proxy} names")
    # urllib3 counts a refused connection among its timeouts.
    late = [cause for cause in causes if not isinstance(cause, exceptions.NewConnectionError)]
    if any(isinstance(cause, TimeoutError | exceptions.TimeoutError) for cause in late):
        return Unavailable(f"{host} did not answer in time")
    for cause in reversed(causes):
        if isinstance(cause, ssl.SSLError) and cause.reason:
            reason = cause.reason.replace("_", " ").lower()
            return Unavailable(f"{host} does not speak TLS as it should ({reason})")
        if isinstance(cause, OSError) and cause.strerror:
            return Unavailable(f"{host} cannot be reached ({cause.strerror})")
    return Unavailable(f"the connection to {host} broke ({type(causes[-1]).__name__})")


def _proxy_variable(url: str) -> str | None:
    """The variable that names the proxy for `url`, as `requests` looks for one."""
    scheme = url.partition(":")[0]
    names = (f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY")
    return next((name for name in names if os.environ.get(name)), None)


def _causes(error: BaseException) -> list[BaseException]:
    """The errors inside an error: `urllib3` wraps by arguments as well as by cause."""
    found: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting and len(found) < 20:
        current = waiting.pop(0)
        if isinstance(current, BaseException) and current not in found:
            found.append(current)
            waiting += [
                *current.args,
                getattr(current, "reason", None),
                current.__cause__,
                current.__context__,
            ]
    return found
