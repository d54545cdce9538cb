"""`ServiceTarget`: the base of targets that send over HTTP through a client of ours."""

from __future__ import annotations

import threading
from abc import abstractmethod
from hashlib import blake2b
from importlib import import_module
from typing import Final, Generic, Protocol, TypeVar

from otel_arthur.configuration import Configuration
from otel_arthur.genai.duplicates.relations import Relations
from otel_arthur.http.errors import Unavailable
from otel_arthur.inference.privacy import TextRules
from otel_arthur.target.contract import Target

_MAX_SERVICES: Final = 1000
"""The number of services that one process remembers: a sender may name another one in each span."""


class _Client(Protocol):
    def stop(self) -> None: ...
    def close(self) -> None: ...


_C = TypeVar("_C", bound=_Client)


class ServiceTarget(Target, Generic[_C]):
    """Used by several threads.

    Args:
        lock: held while the imports of a request run; a fork waits for it.
    """

    def __init__(self, configuration: Configuration, rules: TextRules, lock: threading.RLock) -> None:
        self.configuration = configuration
        self.rules = rules
        self.relations = Relations()
        self.request_seconds = configuration.timeout
        self.window = configuration.duplicate_window
        self.lease_seconds = max(60.0, 4 * configuration.timeout)
        self.services: set[str | None] = set()
        self._lock = lock
        self._client: _C | None = None
        self._is_closed = False

    def remember(self, service: str | None) -> None:
        """Remember the service of a call that was taken."""
        if len(self.services) < _MAX_SERVICES:
            self.services.add(service)

    def close(self) -> None:
        """End the connections of our own client. A request that is being written is cut."""
        # This comes first, so that no thread can make a client meanwhile.
        self._is_closed = True
        if self._client is not None:
            self._client.stop()
            self._client.close()

    def own_client(self) -> _C:
        """Our own client, made when it is first needed.

        Raises:
            Unavailable: this target was closed.
            ConfigurationError: the endpoint or the credentials cannot be used.
        """
        with self._lock:
            if self._client is None:
                # All that a request imports, under the lock that a fork waits for: a module half imported
                # by a thread that is not there would keep the child waiting for ever.
                import_module("otel_arthur.http._adapter")
                self._client = self.new_client()
        self.check_open()
        return self._client

    def check_open(self) -> None:
        """Raises `Unavailable` where this target was closed."""
        if self._is_closed:
            raise Unavailable("the exporter was shut down")

    @abstractmethod
    def new_client(self) -> _C: ...


def fingerprint(secret: str) -> str:
    """An identity without a secret: a digest cannot be turned back into a key."""
    digest = blake2b(secret.encode(), digest_size=8, person=b"otel-arthur", salt=b"identity")
    return f"key:{digest.hexdigest()}"
