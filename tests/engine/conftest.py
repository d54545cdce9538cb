"""An Engine, and deliveries to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from otel_arthur.local.server import LocalArthur
from tests.support.servers.ports import free_port


@pytest.fixture
def engine() -> Iterator[LocalArthur]:
    with LocalArthur(port=free_port()) as arthur:
        yield arthur


@pytest.fixture
def deliver(engine: LocalArthur, tmp_path: Path) -> Iterator[Callable[..., Delivery]]:
    """Makes deliveries that are shut down at the end."""
    made: list[Delivery] = []

    def make(**arguments: Any) -> Delivery:
        configuration = Configuration.from_environment(
            {},
            **{
                "engine_endpoint": engine.url,
                "engine_api_key": engine.api_key,
                "spool_dir": tmp_path / "engine-spool",
                "duplicate_window": 0,
                **arguments,
            },
        )
        delivery = Delivery(configuration, metrics=False)
        made.append(delivery)
        return delivery

    yield make
    for delivery in made:
        delivery.shutdown(5)
