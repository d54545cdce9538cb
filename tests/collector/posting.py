"""A trace export, posted to a collector as any client would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests

from tests.support.processes.collectors import ArthurCollector
from tests.support.waiting import PATIENCE

PROTOBUF = {"Content-Type": "application/x-protobuf"}
Start = Callable[..., ArthurCollector]
"""The fixture `collector`."""


def post(collector: ArthurCollector, request: Any, **headers: str) -> requests.Response:
    return requests.post(
        f"{collector.http}/v1/traces",
        data=request.SerializeToString(),
        headers={**PROTOBUF, **headers},
        timeout=PATIENCE,
    )
