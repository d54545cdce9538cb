"""urllib3's insides that we know of, in the urllib3 that is installed, and with them removed.

Part of the tests that run with the oldest and the newest supported packages.
"""

from __future__ import annotations

from typing import Any

import pytest
from requests import adapters

from otel_arthur.arthur.client import V3
from otel_arthur.http.errors import Unavailable
from otel_arthur.http.transport import Transport
from tests.support.servers.fault_behaviours import drip
from tests.support.servers.fault_server import FaultServer
from tests.support.waiting import PATIENCE


class Renamed(adapters.PoolManager):  # type: ignore[name-defined, misc]
    """A pool manager of a urllib3 to come."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._renamed = self.__dict__.pop("pool_classes_by_scheme")

    def _new_pool(self, scheme: str, host: str, port: int, request_context: Any = None) -> Any:
        self.pool_classes_by_scheme = self._renamed
        try:
            return super()._new_pool(scheme, host, port, request_context)
        finally:
            del self.pool_classes_by_scheme


def test_one_deadline_holds_for_a_whole_call(server: FaultServer) -> None:
    """Not a fallback: of single bytes that drip for ever none is late."""
    server.always(drip(0.02, body_only=True), on="/users/me")
    transport = Transport(server.url, V3, timeout=0.5)
    with pytest.raises(Unavailable, match="in time"):
        transport.request("GET", "/users/me")
    transport.close()


def test_without_its_pools_requests_go_on_and_one_line_says_so(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(adapters, "PoolManager", Renamed)
    transport = Transport(server.url, V3, timeout=PATIENCE)
    for _ in range(2):
        assert transport.request("GET", "/users/me").status == 200
    transport.close()
    assert [record.getMessage().partition(";")[0] for record in caplog.records] == [
        "otel-arthur: this urllib3 is not one that we know"
    ]
