"""The next hop: a request's own bytes out, the next hop's own answer back."""

from __future__ import annotations

from otel_arthur.collector.configuration.sections import Forward
from otel_arthur.collector.forwarding.breaker import Breaker
from otel_arthur.collector.forwarding.grpc import GRPCNextHop
from otel_arthur.collector.forwarding.http import HTTPNextHop
from otel_arthur.collector.forwarding.next_hop import NextHop

__all__ = ["Breaker", "NextHop", "next_hop"]


def next_hop(forward: Forward) -> NextHop:
    """The client for the next hop that the configuration names. Must be called on the event loop."""
    return GRPCNextHop(forward) if forward.is_grpc else HTTPNextHop(forward)
