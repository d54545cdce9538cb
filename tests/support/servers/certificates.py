"""Certificates made on the spot, for TLS tests over real sockets."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "IP:127.0.0.1,DNS:localhost,DNS:arthur.test"
_EXPIRED = ("-startdate", "20200101000000Z", "-enddate", "20200201000000Z")
_CONFIGURATION = """
[ca]
default_ca = own
[own]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
x509_extensions = extensions
[any]
commonName = supplied
[extensions]
basicConstraints = CA:true
subjectAltName = {names}
"""


@dataclass(frozen=True)
class Certificate:
    path: Path
    """PEM; its own authority."""
    key: Path
    context: ssl.SSLContext
    """For a server that shows it."""


def self_signed(folder: Path, *, names: str = LOOPBACK, expired: bool = False) -> Certificate | None:
    """Self-signed, for `names` as in openssl's ``subjectAltName``; None without the openssl command."""
    openssl = shutil.which("openssl")
    if openssl is None:
        return None
    folder.mkdir(exist_ok=True)
    (folder / "ca.cnf").write_text(_CONFIGURATION.format(names=names))
    (folder / "index.txt").touch()
    (folder / "serial").write_text("01\n")
    request = "req -new -newkey rsa:2048 -nodes -keyout key.pem -out request.pem"
    # A name of its own: an authority is looked up by its name.
    subject = ("-subj", f"/CN={folder.name}")
    # By `ca`, for `req -x509` takes no dates before OpenSSL 3.4.
    sign = "ca -batch -notext -selfsign -config ca.cnf -keyfile key.pem -in request.pem -out certificate.pem"
    dates = _EXPIRED if expired else ("-days", "2")
    for command in ([*request.split(), *subject], [*sign.split(), *dates]):
        subprocess.run([openssl, *command], cwd=folder, check=True, capture_output=True)
    path, key = folder / "certificate.pem", folder / "key.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    return Certificate(path, key, context)
