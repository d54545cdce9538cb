"""What an operator writes: the collector's YAML, validated, as frozen values.

The form is a promise (see ``docs/collector.md``). The defaults of ``arthur``, ``engine`` and ``spool`` are
those of `otel_arthur.configuration`; all others are here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from otel_arthur.collector.configuration.addresses import Address, address_of, next_hop
from otel_arthur.collector.configuration.arthur_sections import (
    ModelRoute,
    TaskRoute,
    read_routes,
    read_settings,
    read_tasks,
    read_values,
)
from otel_arthur.collector.configuration.document import ConfigurationError, Document, Section
from otel_arthur.configuration import Configuration
from otel_arthur.configuration.kinds import (
    boolean,
    existing_file,
    megabytes,
    one_of,
    seconds,
    secret_in_file,
    whole_number,
)
from otel_arthur.configuration.setting import setting, settings_of

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerTLS:
    """TLS of a receiver; with `client_ca_file` clients must show a certificate (mTLS)."""

    cert_file: Path
    key_file: Path
    client_ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class CORS:
    """Which browsers may send."""

    origins: tuple[str, ...]
    """As in ``https://*.example.com``."""
    headers: tuple[str, ...] = ()
    """Headers that pages may set, beside those that an exporter needs."""
    max_age: float = 7200.0
    """Seconds that a browser remembers this."""


@dataclass(frozen=True, slots=True)
class Receiver:
    address: Address
    tls: ServerTLS | None = None
    bearer_token: str | None = field(default=None, repr=False)
    """Clients must send ``Authorization: Bearer …``; it is not handed on."""
    cors: CORS | None = None
    """Of the receiver over HTTP."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one process."""

    max_request_bytes: int = setting(
        megabytes,
        64 * MEBIBYTE,
        "of one request, after decompression; inflating stops there",
        name="max_request_mb",
        shown="`64`",
    )
    max_in_flight_bytes: int = setting(
        megabytes,
        256 * MEBIBYTE,
        "of all requests not answered yet, as received, inflated and parsed; more are told to wait",
        name="max_in_flight_mb",
        shown="`256`",
    )
    max_connections: int = setting(
        whole_number, 1000, "of each receiver; the connection that has been idle longest goes first"
    )
    request_timeout: float = setting(seconds, 30.0, "a sender's time for one request")
    max_items: int = setting(
        whole_number,
        1_000_000,
        "spans, attributes and values of one request; one with more is forwarded unread, or refused with "
        "413 where there is no `forward`",
        shown="`1000000`",
    )


LIMITS: Final = settings_of(Limits, "limits")


@dataclass(frozen=True, slots=True)
class Forward:
    endpoint: str
    """``http(s)://host[:port][/prefix]`` or ``grpc(s)://host:port``."""
    timeout: float = 10.0
    """Seconds that the next hop may take to answer."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Headers for every request, instead of the sender's headers of these names."""
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    insecure_skip_verify: bool = False
    stamp: bool = False
    """Add ``arthur.inference.id`` to LLM spans; only their requests are encoded anew."""

    @property
    def is_grpc(self) -> bool:
        return self.endpoint.startswith("grpc")

    @property
    def is_secure(self) -> bool:
        return self.endpoint.startswith(("https:", "grpcs:"))


@dataclass(frozen=True, slots=True)
class CollectorConfiguration:
    """A whole configuration that can be run."""

    grpc: Receiver | None
    http: Receiver | None
    arthur: Configuration
    routes: tuple[ModelRoute, ...]
    tasks: tuple[TaskRoute, ...]
    """The tasks of the Engine that routes name; `arthur.engine` has the task of all other calls."""
    forward: Forward | None
    refuse_when_full: bool
    health: Address | None
    metrics: Address | None
    limits: Limits
    drain_seconds: float


def load(
    path: Path, environ: Mapping[str, str] | None = None, *, is_core: bool = False
) -> CollectorConfiguration:
    """Read and validate a file.

    Args:
        is_core: whether it is for the core, which has neither receivers nor a next hop.

    Raises:
        ConfigurationError: with one line for each problem: file, line, key, and what to write instead.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigurationError([f"{path}: cannot be read: {reason}"]) from None
    return parse(str(path), content, os.environ if environ is None else environ, is_core=is_core)


def parse(
    name: str, content: str, environ: Mapping[str, str], *, is_core: bool = False
) -> CollectorConfiguration:
    """Validate a document; as `load`."""
    document = Document(name, content, environ)
    root = document.root
    grpc, http = (None, None) if is_core else _receivers(root)
    limits = root.section("limits")
    held = Limits(**read_values(LIMITS, limits=limits))
    spool = root.section("spool")
    refuse = is_core or spool.read("on_full", one_of("pass", "refuse"), "pass") == "refuse"
    arthur, engine = root.section("arthur"), root.section("engine")
    # Beside an Engine, the section may be there for settings of both: redaction, content, sampling.
    is_v3_target = "engine" not in root or any(key in arthur for key in ("models", "endpoint"))
    connection = read_settings(is_v3_target=is_v3_target, arthur=arthur, engine=engine, spool=spool)
    routes, tasks = read_routes(arthur, connection) if is_v3_target else ((), ())
    tasks += read_tasks(engine)
    if "engine" in root:
        for key, wanted in (("endpoint", "an endpoint"), ("api_key", "an api_key or an api_key_file")):
            if key not in engine and f"{key}_file" not in engine:
                engine.problem(None, f"needs {wanted}")
    forward = None
    if not is_core and "forward" in root:
        forward = _forward(root.section("forward"), grpc, http)
    service = root.section("service")
    drain = service.read("drain_seconds", seconds, 25.0)
    configuration = CollectorConfiguration(
        grpc,
        http,
        connection,
        routes,
        tasks,
        forward,
        refuse,
        _endpoint(root, "health", 13133),
        _endpoint(root, "metrics", 8888),
        held,
        drain,
    )
    document.check()
    return configuration


def _receivers(root: Section) -> tuple[Receiver | None, Receiver | None]:
    receivers = root.section("receivers")
    otlp = receivers.section("otlp")
    everything = "grpc" not in otlp and "http" not in otlp
    grpc = _receiver(otlp.section("grpc"), 4317) if everything or "grpc" in otlp else None
    http = _receiver(otlp.section("http"), 4318) if everything or "http" in otlp else None
    return grpc, http


def _receiver(section: Section, port: int) -> Receiver:
    address = section.read("endpoint", address_of(port), Address("127.0.0.1", port))
    tls = _server_tls(section.section("tls")) if "tls" in section else None
    auth = section.section("auth")
    token = auth.text("bearer_token") or auth.read("bearer_token_file", secret_in_file, None)
    if "auth" in section and token is None:
        section.problem("auth", "needs a bearer_token or a bearer_token_file")
    cors = _cors(section.section("cors")) if port == 4318 and "cors" in section else None
    return Receiver(address, tls, token, cors)


def _cors(section: Section) -> CORS | None:
    origins = section.texts("allowed_origins")
    if not origins:
        section.problem(None, "needs allowed_origins, a list such as [https://app.example.com]")
    cors = CORS(origins, section.texts("allowed_headers"), float(section.read("max_age", whole_number, 7200)))
    return cors if origins else None


def _server_tls(section: Section) -> ServerTLS | None:
    certificate = section.read("cert_file", existing_file, None)
    key = section.read("key_file", existing_file, None)
    authorities = section.read("client_ca_file", existing_file, None)
    for name, value in (("cert_file", certificate), ("key_file", key)):
        if value is None and name not in section:
            section.problem(None, f"needs {name}, a PEM file")
    return ServerTLS(certificate, key, authorities) if certificate and key else None


def _forward(section: Section, grpc: Receiver | None, http: Receiver | None) -> Forward | None:
    endpoint = section.read("endpoint", next_hop, None)
    if endpoint is None and "endpoint" not in section:
        section.problem(None, "needs an endpoint, as in http://127.0.0.1:14318 or grpc://127.0.0.1:14317")
    for receiver in (grpc, http):
        if endpoint and receiver and urlsplit(endpoint).netloc == str(receiver.address):
            section.problem("endpoint", "is this collector's own receiver; name the next hop instead")
    tls = section.section("tls")
    forward = Forward(
        endpoint or "",
        section.read("timeout", seconds, 10.0),
        {name.lower(): value for name, value in section.pairs("headers").items()},
        tls.read("ca_file", existing_file, None),
        tls.read("cert_file", existing_file, None),
        tls.read("key_file", existing_file, None),
        tls.read("insecure_skip_verify", boolean, False),
        section.read("stamp", boolean, False),
    )
    if (forward.cert_file is None) != (forward.key_file is None):
        tls.problem(None, "needs cert_file and key_file together")
    if forward.is_grpc and forward.insecure_skip_verify:
        tls.problem("insecure_skip_verify", "is not possible over gRPC; name the authority in ca_file")
    return forward


def _endpoint(root: Section, key: str, port: int) -> Address | None:
    section = root.section(key)
    if key not in root:
        return None
    return section.read("endpoint", address_of(port), Address("127.0.0.1", port))
