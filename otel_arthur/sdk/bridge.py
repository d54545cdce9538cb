"""The bridge: the one piece of global state, from finished spans to the delivery, shared by the exporters.

The SDK builds each exporter with no argument, so they find each other here. A bridge lives
as long as it has users: the span and the log exporter may be shut down in either order.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.reading import Reading, is_candidate, read
from otel_arthur.genai.span import attributes_of, from_sdk

_logger = logging.getLogger("otel_arthur")

SHUTDOWN_SECONDS = 10.0
"""What a shutdown may take when the SDK names no limit; what is left then is in the spool."""


class Bridge:
    """Reads finished spans and hands their calls to one `Delivery`. Safe to use from several threads."""

    def __init__(self, configuration: Configuration, sender: Any = None) -> None:
        self.configuration = configuration
        self.delivery = Delivery(configuration, sender=sender)
        self._users = 0
        self._explained: set[str] = set()

    def take_spans(self, spans: Iterable[ReadableSpan]) -> None:
        """Record the LLM calls among `spans`. What is on disk when this returns survives the process."""
        calls: list[LLMCall] = []
        for span in spans:
            attributes = attributes_of(span)
            if not is_candidate(attributes):
                continue
            try:
                reading = read(from_sdk(span, attributes), self.configuration.attributes)
            except Exception as error:  # a span of a shape never seen must not cost its batch
                self.delivery.skip("unreadable")
                self._explain(
                    "unreadable", f"a span could not be read ({type(error).__name__}); it is skipped"
                )
                continue
            if reading.call is not None and self._is_wanted(reading):
                calls.append(reading.call)
        if calls:
            self.delivery.submit(calls)

    def _is_wanted(self, reading: Reading) -> bool:
        if not reading.content_missing or self.configuration.content == "metadata":
            return True
        assert reading.dialect is not None
        self.delivery.skip("no content")
        self._explain(
            f"no content {reading.dialect.name}",
            f"an LLM call without messages was skipped: {reading.reason}",
        )
        return False

    def _explain(self, key: str, line: str) -> None:
        """Warn once per process and reason."""
        if key not in self._explained:
            self._explained.add(key)
            _logger.warning("otel-arthur: %s", line)


_lock = threading.Lock()
_shared: Bridge | None = None


def acquire(configuration: Configuration, sender: Any = None) -> Bridge:
    """The process's bridge for this configuration, counted once more as used.

    A second configuration beside a live first one gets a bridge of its own.
    """
    global _shared
    with _lock:
        bridge = _shared
        if bridge is None or sender is not None or bridge.configuration != configuration:
            bridge = Bridge(configuration, sender)
            if _shared is None:
                _shared = bridge
                _report(configuration)
        bridge._users += 1  # pyright: ignore[reportPrivateUsage]
        return bridge


def current() -> Bridge | None:
    """The process's bridge, if an exporter of ours lives."""
    return _shared


def release(bridge: Bridge, timeout: float) -> bool:
    """One user less; the last one shuts the delivery down within `timeout` seconds."""
    global _shared
    with _lock:
        bridge._users -= 1  # pyright: ignore[reportPrivateUsage]
        last = bridge._users <= 0  # pyright: ignore[reportPrivateUsage]
        if last and _shared is bridge:
            _shared = None
    return bridge.delivery.shutdown(timeout) if last else bridge.delivery.flush(timeout)


def _report(configuration: Configuration) -> None:
    """One line for each bad value, and one for what is missing; never more, never an exception."""
    for problem in configuration.problems:
        _logger.warning("otel-arthur: %s", problem)
    if configuration.missing is not None:
        _logger.warning(
            "otel-arthur: nothing is sent to Arthur yet: %s. Until then inferences %s.",
            configuration.missing,
            "wait in memory" if configuration.spool_dir is None else f"wait in {configuration.spool_dir}",
        )
