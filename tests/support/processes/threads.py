"""The threads of a delivery that was shut down."""

from __future__ import annotations

import threading

from tests.support.waiting import eventually


def wait_for_senders() -> None:
    """Until no thread of this process sends any more: what deliveries had leased is free again."""
    eventually(
        lambda: not any(thread.name.startswith("otel-arthur-sender") for thread in threading.enumerate()),
        "all senders have ended",
    )
