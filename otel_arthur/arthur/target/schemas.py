"""The schemas of the models that this process sends to, asked from Arthur by the sending threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from otel_arthur.arthur.clients import Client
from otel_arthur.configuration import Configuration
from otel_arthur.inference.schema import Schema, schema_of

REFRESH_SECONDS = 600.0


class Schemas:
    """A cache of schemas. `known` never waits, `fetched` asks Arthur."""

    def __init__(self, client: Callable[[], Client], configuration: Configuration) -> None:
        self._client = client
        self._extra = tuple(configuration.attributes)
        self._lock = threading.Lock()
        self._schemas: dict[str, tuple[Schema, float]] = {}

    def known(self, model: str) -> Schema | None:
        """The schema that is known now, if any."""
        entry = self._schemas.get(model)
        return entry[0] if entry is not None else None

    def fetched(
        self, model: str, *, older_than: float = REFRESH_SECONDS, timeout: float | None = None
    ) -> Schema:
        """The schema, asked from Arthur where it is not known or as old as `older_than` seconds.

        Raises:
            ArthurError: Arthur did not answer.
            SchemaError: the model has no text input or no text output.
        """
        entry = self._schemas.get(model)
        if entry is not None and time.monotonic() - entry[1] < older_than:
            return entry[0]
        schema = schema_of(self._client().model(model, timeout=timeout).attributes, self._extra)
        self._schemas = {**self._schemas, model: (schema, time.monotonic())}
        return schema
