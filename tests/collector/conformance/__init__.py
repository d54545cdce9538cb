"""Every rule of an OTLP server, as checks that can be pointed at any server.

    python -m tests.collector.conformance --http http://127.0.0.1:4318 --grpc 127.0.0.1:4317

prints one line for each rule, and ends with 1 if one is broken. The rules are those of
opentelemetry-proto ``docs/specification.md``; "practice" marks what stock Collectors do besides.
"""

from __future__ import annotations

import grpc
import requests
from google.protobuf.message import DecodeError

from tests.collector.conformance import grpc_rules, http_rules  # noqa: F401
from tests.collector.conformance.server import RULES, Server


def broken_rules(server: Server) -> dict[str, str]:
    """Rule -> what was found instead, for the rules that a server breaks."""
    broken: dict[str, str] = {}
    for name, check in RULES.items():
        try:
            check(server)
        except (AssertionError, grpc.RpcError, requests.RequestException, DecodeError) as error:
            broken[name] = " ".join(str(error).split())[:200] or type(error).__name__
    return broken
