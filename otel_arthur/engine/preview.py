"""The request that the Engine would get of spans that are all at hand, for `inspect`."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from otel_arthur.configuration import Configuration, EngineConfiguration
from otel_arthur.engine.intake import Form, completed
from otel_arthur.engine.target import EngineTarget
from otel_arthur.engine.trees import KEPT_SECONDS
from otel_arthur.genai.duplicates.verdicts import InOrder, Verdict
from otel_arthur.genai.steps.reading import around
from otel_arthur.genai.steps.step import Wordless
from otel_arthur.inference.privacy import TextRules
from otel_arthur.spool.rows import Row

_AT_ONCE: Final = InOrder.AT_ONCE
_WINDOW_NS: Final = KEPT_SECONDS * 10**9
_OPEN_ROOTS: Final = 2_000
"""At most so many wait for the words of calls that end after them."""


def preview(verdicts: Iterable[Verdict], configuration: Configuration, rules: TextRules) -> Iterator[bytes]:
    """Requests of a span each, by and by: calls with what is around them, duplicates as chains."""
    engine = configuration.engine or EngineConfiguration(endpoint="http://localhost")
    # Duplicates are known already, so none has to be held.
    alone = replace(configuration, duplicate_window=0.0, engine=engine)
    target = EngineTarget(alone, engine, rules, threading.RLock())
    trees = target.trees
    waiting: deque[tuple[int, Row]] = deque()
    verdicts = iter(verdicts)
    ahead = next(verdicts, None)
    while ahead is not None:
        chunk = sorted([ahead, *islice(verdicts, _AT_ONCE - 1)], key=lambda one: one.view.end_ns)
        ahead = next(verdicts, None)
        first, latest = chunk[0].view.end_ns, chunk[-1].view.end_ns
        intake, kept = target.intake(None, is_live=False), _given(chunk)
        for verdict in chunk:
            call = verdict.call
            if call is None:
                intake.add_around(around(verdict.view))
            elif verdict.decision == "skipped":
                intake.add_around(Wordless(call))
            else:
                intake.add(call)
        for _, batch in intake.batches():
            is_open = trees is not None and batch.form == Form.OPEN
            for row in batch.rows:
                if is_open and ahead is not None:
                    waiting.append((latest, row))
                    continue
                whole = completed(row, trees) if is_open and trees else row
                sent = target.judge.demote(whole, kept[row.id]) if row.id in kept else whole
                if sent is not None:
                    yield sent.content
        while trees and waiting and (len(waiting) > _OPEN_ROOTS or waiting[0][0] < first - _WINDOW_NS):
            yield completed(waiting.popleft()[1], trees).content
    while trees and waiting:
        yield completed(waiting.popleft()[1], trees).content


def _given(verdicts: Iterable[Verdict]) -> dict[str, str]:
    """The names of duplicates, and of the calls that were kept instead."""
    return {
        f"{one.view.trace_id}-{one.view.span_id}": "-".join(one.duplicate_of)
        for one in verdicts
        if one.duplicate_of is not None and one.call is not None
    }
