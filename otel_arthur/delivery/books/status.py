"""``spool status`` as JSON: the promised names over what the spool tells of any target."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson

from otel_arthur.delivery.books.names import name_of, names_of
from otel_arthur.engine.kinds import Kind as KindOfEngine
from otel_arthur.spool.outcomes import APPENDED, AT_THE_DOOR, Outcome, unaccounted
from otel_arthur.spool.upkeep.dead_letters import Letter
from otel_arthur.spool.upkeep.status import DestinationStatus, KindStatus, Status

_PLURALS = {"inference": "inferences", "span": "spans", "root": "roots"}
_ENGINE_S_PROTOBUF = frozenset({KindOfEngine.SPAN, KindOfEngine.ROOT})
"""Kinds of the Engine's rows that are no JSON."""


def as_json(status: Status) -> dict[str, Any]:
    """All of it."""
    return {
        "bytes": status.bytes,
        "max_bytes": status.max_bytes,
        "skipped": status.skipped,
        "mended": status.mended,
        "destinations": [_destination(one) for one in status.destinations],
        "waiting": status.waiting,
    }


def held(one: DestinationStatus) -> int:
    """Rows in the duplicate window."""
    return sum(kind.held for kind in one.kinds.values())


def oldest_seconds(one: DestinationStatus) -> float | None:
    """Age of the oldest row that waits."""
    return max((k.oldest_seconds for k in one.kinds.values() if k.oldest_seconds is not None), default=None)


def unaccounted_for(one: DestinationStatus) -> int:
    """0 where the books of a destination hold: appended = sum of outcomes + waiting."""
    totals = dict.fromkeys(Outcome, 0)
    appended = 0
    for outcomes in one.outcomes.values():
        for key, number in outcomes.items():
            word = key.partition(": ")[0]
            if word == APPENDED:
                appended += number
            elif Outcome(word) not in AT_THE_DOOR:
                totals[Outcome(word)] += number
    return unaccounted(appended, totals, one.waiting)


def _destination(one: DestinationStatus) -> dict[str, Any]:
    nothing, names = KindStatus(), names_of(one.destination)
    return {
        "destination": asdict(one.destination),
        "organization": one.organization,
        **{_PLURALS.get(name, name): one.kinds.get(kind, nothing).waiting for kind, name in names.items()},
        "held": held(one),
        "leased": sum(kind.leased for kind in one.kinds.values()),
        "bytes": sum(kind.bytes for kind in one.kinds.values()),
        "oldest_seconds": oldest_seconds(one),
        "dead_letters": one.dead_letters,
        "last_error": one.last_error,
        "last_error_at": one.last_error_at,
        "outcomes": {name: one.outcomes.get(kind, {}) for kind, name in names.items()},
        "unaccounted": unaccounted_for(one),
    }


def letter_json(letter: Letter) -> dict[str, Any]:
    """All of a dead letter, its row included: prompts and answers are in it."""
    return {
        "number": letter.number,
        "partner_inference_id": letter.id,
        "kind": name_of(letter.destination, letter.kind),
        "model": letter.destination.model,
        "endpoint": letter.destination.endpoint,
        "refused_at": letter.at,
        "reason": letter.reason,
        "row": _row(letter),
    }


def _row(letter: Letter) -> Any:
    if letter.destination.target != "engine" or letter.kind not in _ENGINE_S_PROTOBUF:
        return orjson.loads(letter.row.content)
    from otel_arthur.engine.requests import as_otlp_json

    return as_otlp_json(letter.row.content)
