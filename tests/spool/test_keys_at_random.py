"""What is known of what was added, against all that was: at random, with tables so small that all happens."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from otel_arthur.spool.batches import BatchOutcome, NewBatch
from otel_arthur.spool.disk.bodies import unpacked
from otel_arthur.spool.disk.keys import KeyLimits
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.rows import FRAMED, Row
from otel_arthur.spool.spool import Spool
from tests.support.spans.spool_records import HERE, KIND, NUMBER, rows


class _Reference:
    """Every record of one spool, by number: when it was added, and whether it waits."""

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.order: list[int] = []
        self.live: set[int] = set()
        self.waiting: set[int] = set()
        self.next = 0

    def must_be_known(self) -> set[int]:
        return self.waiting.union(self.order[-self.generation :])

    def chosen(self, chance: random.Random, is_live: bool) -> list[int]:
        """New numbers and old ones. A live call was added by none but this process, as a live one."""
        known = sorted(self.live if is_live else self.must_be_known())
        numbers: dict[int, None] = {}
        for _ in range(chance.choice([1, 1, 2, 5, 13, 30])):
            if known and chance.random() < 0.3:
                numbers[chance.choice(known)] = None
            else:
                numbers[self.next] = None
                self.next += 1
        return list(numbers)


def _number(row: Row) -> int:
    return int(row.id.removeprefix("id-"))


def _waiting(spool: Spool) -> set[int]:
    return {
        _number(row)
        for (body,) in spool.store.index.read("SELECT body FROM batches")
        for row in unpacked(body, FRAMED, KIND)
    }


@pytest.mark.parametrize("seed", range(12))
def test_what_waits_and_the_latest_generation_are_known_and_nothing_else_is_that_never_was(
    opened: Callable[..., Spool], seed: int
) -> None:
    chance = random.Random(seed)
    limits = KeyLimits(
        generation=chance.choice([20, 50, 100]),
        recent_keys=chance.choice([8, 30]),
        recent_batches=chance.choice([3, 6]),
        unasked_batches=chance.choice([5, 12, 40]),
        batches_at_once=chance.choice([1, 3, 64]),
        latest=chance.choice([10, 40]),
    )
    spools = [opened(limits), opened(limits)]
    reference, often_live = _Reference(limits.generation), chance.random()
    most_waiting = 0
    for _ in range(400):
        spool = chance.choice(spools)
        if chance.random() < 0.6:
            is_live = chance.random() < often_live
            numbers = reference.chosen(chance, is_live)
            ended = (min(numbers), max(numbers)) if is_live else None
            new = [row for number in numbers for row in rows(1, start=number)]
            known = reference.must_be_known().intersection(numbers)
            never = set(numbers).difference(reference.order)
            appended = spool.append(HERE, NewBatch(KIND, new, ended=ended, is_live=is_live))
            assert appended.known >= len(known)
            assert appended.new >= len(never)
            added = _waiting(spool) - reference.waiting
            assert appended == (len(added), len(numbers) - len(added), 0)
            reference.order += [number for number in numbers if number in added]
            reference.waiting |= added
            most_waiting = max(most_waiting, len(reference.waiting))
            reference.live |= added if is_live else set()
        else:
            for taken in spool.lease(NUMBER, KIND, Terms(rows=chance.choice([1, 20, 100]))):
                if chance.random() < 0.7:
                    spool.finish([BatchOutcome(taken, sent=len(taken.rows))])
                    reference.waiting -= {_number(row) for row in taken.rows}
                else:
                    spool.finish([BatchOutcome(taken, waiting=[*taken.rows])])
    tables = "(SELECT count(*) FROM keys_0) + (SELECT count(*) FROM keys_1)"
    ((remembered,),) = spools[0].store.index.read(
        f"SELECT {tables} + ifnull(sum(length(keys)), 0) / 8 FROM recent_keys"
    )
    assert remembered <= 5 * limits.generation + 2 * most_waiting
