"""`Deliveries`: one delivery for each account that routes lead to, kept across reloads."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from otel_arthur.collector.arthur_configuration import ModelRoute
from otel_arthur.collector.telemetry import Sample
from otel_arthur.configuration import Configuration, Route
from otel_arthur.delivery import Delivery


class Deliveries:
    """Opens and closes deliveries as configurations come and go."""

    def __init__(self) -> None:
        self._open: dict[str, Delivery] = {}
        self._capacity: dict[str, int] = {}

    def use(self, routes: Iterable[ModelRoute]) -> dict[int, Delivery]:
        """A delivery for each route, by the route's id; those that exist already are kept.

        Raises:
            OSError: the spool's folder cannot be written.
        """
        models: dict[str, list[str]] = {}
        routes = list(routes)
        for route in routes:
            models.setdefault(_key(route.destination), []).append(route.model_id)
        found: dict[int, Delivery] = {}
        for route in routes:
            key = _key(route.destination)
            # The models belong to the key: only a delivery that knows them drains what waits for them.
            full_key = f"{key} {sorted(set(models[key]))}"
            if full_key not in self._open:
                _check_folder(route.destination.spool_dir)
                patterns = tuple(Route("*", model) for model in dict.fromkeys(models[key]))
                delivery = Delivery(replace(route.destination, routes=patterns))
                delivery.start()
                self._open[full_key] = delivery
                self._capacity[full_key] = route.destination.spool_max_bytes
            found[id(route)] = self._open[full_key]
        return found

    async def close_unused(self, used: Iterable[Delivery], seconds: float) -> bool:
        """Shut down those that are not among `used`, all at once; whether they sent everything."""
        kept = {id(delivery) for delivery in used}
        closing = {key: delivery for key, delivery in self._open.items() if id(delivery) not in kept}
        for key in closing:
            del self._open[key]
        if not closing:
            return True
        with ThreadPoolExecutor(len(closing)) as executor:
            loop = asyncio.get_running_loop()
            done = await asyncio.gather(
                *(loop.run_in_executor(executor, delivery.shutdown, seconds) for delivery in closing.values())
            )
        return all(done)

    def samples(self) -> Iterator[Sample]:
        """What became of the inferences, under the Collector's names for an exporter."""
        labels = (("exporter", "arthur"),)
        counts = [delivery.counts() for delivery in self._open.values()]
        yield "otelcol_exporter_sent_spans", labels, sum(count.sent for count in counts)
        yield "otelcol_exporter_send_failed_spans", labels, sum(count.dead_letter for count in counts)
        yield "otelcol_exporter_queue_size", labels, sum(count.left for count in counts)
        yield "otelcol_exporter_queue_capacity", labels, max(self._capacity.values(), default=0)
        yield "otelcol_arthur_duplicates", (), sum(count.duplicate for count in counts)
        skipped: dict[str, int] = {}
        for count in counts:
            for reason, number in count.skipped.items():
                skipped[reason] = skipped.get(reason, 0) + number
        for reason, number in sorted(skipped.items()):
            yield "otelcol_arthur_spans_skipped", (("reason", reason),), number


def _key(destination: Configuration) -> str:
    secrets = (destination.api_key, destination.login, destination.password)
    return f"{destination!r} {hash(secrets)}"


def _check_folder(folder: Path | None) -> None:
    """The delivery would fall back to memory; what we acknowledge must be on disk."""
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(f"the spool's folder {folder} cannot be written ({error.strerror})") from None
