"""A certificate made on the spot, for TLS tests over real sockets."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    path: Path
    """PEM; its own authority."""
    key: Path
    context: ssl.SSLContext
    """For a server that shows it."""


def self_signed(folder: Path) -> Certificate | None:
    """Self-signed, for 127.0.0.1, localhost and arthur.test; None without the openssl command."""
    openssl = shutil.which("openssl")
    if openssl is None:
        return None
    path, key = folder / "certificate.pem", folder / "key.pem"
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:arthur.test"
    command = [
        openssl,
        *[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=arthur.test",
            "-addext",
        ],
    ]
    subprocess.run([*command, names, "-keyout", key, "-out", path], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    return Certificate(path, key, context)
