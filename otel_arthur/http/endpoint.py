"""The address of an API and the certificates to trust there, checked before anything is sent."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from otel_arthur.configuration.clear_text import is_in_the_clear
from otel_arthur.configuration.kinds import url
from otel_arthur.http.errors import ConfigurationError
from otel_arthur.process import forks


class API(NamedTuple):
    """The API of a target."""

    prefix: str
    """The path, as in ``/api/v3``."""
    settings: str
    """The beginning of the variables in messages, as in ``OTEL_EXPORTER_ARTHUR``."""


def base_url(endpoint: str, api: API, *, insecure: bool = False) -> str:
    """``https://host[:port][/path]`` and the prefix, for an endpoint given with or without the prefix.

    Raises:
        ConfigurationError: no URL, a name and password in it, or ``http://`` to another machine.
    """
    try:
        written = url(endpoint.strip())
    except ValueError as error:
        raise ConfigurationError(f"the endpoint {error}") from None
    parts = urlsplit(written)
    name, port = parts.hostname or "", parts.port
    if not insecure and is_in_the_clear(written):
        # The configuration refuses it first; a caller may bring an endpoint of its own.
        raise ConfigurationError(
            f"http://{name} would send the credentials and prompts in the clear; "
            f"use https://, or set {api.settings}_INSECURE=true"
        )
    host = f"[{name}]" if ":" in name else name
    authority = host if port is None else f"{host}:{port}"
    path = parts.path.rstrip("/").removesuffix(api.prefix).rstrip("/")
    return f"{parts.scheme}://{authority}{path}{api.prefix}"


def names_authorities(certificate: str | None) -> bool:
    """Whether certificates are named: then they are read, and a bad name is told, whatever the address."""
    return certificate is not None or bool(os.environ.get("REQUESTS_CA_BUNDLE"))


# OpenSSL reads certificates under locks of its own.
@forks.held_off()
def tls_context(api: API, *, certificate: str | None, insecure: bool) -> ssl.SSLContext:
    """The TLS context: trusts `certificate` alone, or else the system's certificates and ``SSL_CERT_FILE``.

    ``REQUESTS_CA_BUNDLE`` adds to the system's certificates, as users of the Arthur SDK expect.

    Raises:
        ConfigurationError: the certificate file cannot be read or holds no certificate.
    """
    named = None if certificate is None else _loaded(certificate, f"{api.settings}_CERTIFICATE")
    if insecure:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if named is not None:
        return named
    context = ssl.create_default_context()
    if bundle := os.environ.get("REQUESTS_CA_BUNDLE"):
        _loaded(bundle, "REQUESTS_CA_BUNDLE", context)
    folder: str | None = ssl.get_default_verify_paths().capath
    if not context.cert_store_stats()["x509_ca"] and not folder:
        # Some containers have no certificates.
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _loaded(path: str, variable: str, context: ssl.SSLContext | None = None) -> ssl.SSLContext:
    try:
        if context is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        where = Path(path).expanduser()
        context.load_verify_locations(**{"capath" if where.is_dir() else "cafile": str(where)})
    except (OSError, RuntimeError) as error:
        raise ConfigurationError(
            f"{variable}: the certificate file cannot be used ({type(error).__name__}); "
            "name a readable PEM file of certificate authorities"
        ) from None
    return context
