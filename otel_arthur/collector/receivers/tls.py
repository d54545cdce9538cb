"""TLS of a receiver."""

from __future__ import annotations

import ssl

from otel_arthur.collector.configuration.sections import ServerTLS

HANDSHAKE_SECONDS = 10.0
"""Seconds for a handshake: a connection holds memory before it counts as a connection."""


def server_context(tls: ServerTLS, *protocols: str) -> ssl.SSLContext:
    """TLS of a server, and of its clients where an authority for clients is named."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.cert_file, tls.key_file)
    if tls.client_ca_file is not None:
        context.load_verify_locations(tls.client_ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    if protocols:
        context.set_alpn_protocols(protocols)
    return context
