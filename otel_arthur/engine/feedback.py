"""Feedback as annotations: the Engine keeps one by a person for each trace, and a later one replaces it.

Source: arthur-engine 2.1.686, ``POST /api/v1/traces/{trace_id}/annotations``, measured.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from otel_arthur.engine.client import EngineClient
from otel_arthur.engine.presenting import trouble_of
from otel_arthur.http.errors import ArthurError
from otel_arthur.inference.privacy import Privacy, TextRules, Texts
from otel_arthur.spool.batches import Batch, BatchOutcome, DeadLetter
from otel_arthur.spool.rows import Row
from otel_arthur.target.contract import Attempt, Feedback, Presented, Trouble

NOT_FOUND: Final = 404
UNKNOWN_SECONDS: Final = 15.0
"""Seconds until the next try for a trace that the Engine does not know."""
PATIENCE_ATTEMPTS: Final = 60
"""Tries for a trace that the Engine does not know."""
REPLACED: Final = "replaced by later feedback"
_FOR_GOOD: Final = frozenset({400, 422})


def feedback_row(feedback: Feedback, rules: TextRules, calls: Sequence[str] = ()) -> Row:
    """The row of an annotation, which waits for its call, and for the other `calls` of the trace.

    So two annotations of one trace wait for the same calls, and none overtakes the other.
    """
    explanation = Texts(rules).apply(feedback.explanation, Privacy.WORDS)
    content = orjson.dumps(
        {
            "annotation_score": feedback.score,
            **({} if explanation is None else {"annotation_description": explanation}),
        }
    )
    own = () if feedback.span_id is None else (f"{feedback.trace_id}-{feedback.span_id}",)
    after = tuple(dict.fromkeys((*own, *calls)))
    # Even an annotation equal to an earlier one is news: another may have come between the two.
    return Row(feedback.trace_id, content, 0, secrets.token_hex(8), after)


def annotate(
    client: EngineClient, batches: Sequence[Batch], attempt: Attempt, latest: Mapping[str, str]
) -> Presented:
    """Send annotations. Presenting one again does no harm. Does not raise.

    Args:
        latest: trace -> the version of its latest annotation that this process took. An earlier annotation
            that had to wait, and so comes later, is left out.
    """
    outcomes = [BatchOutcome(batch) for batch in batches]
    trouble: Trouble | None = None
    attempt.begin()
    for outcome in outcomes:
        for row in outcome.batch.rows:
            if latest.get(row.id, row.version) != row.version:
                outcome.skipped, outcome.skip_reason = outcome.skipped + 1, REPLACED
            elif trouble is None:
                trouble = _annotate(client, row, outcome, attempt)
            else:
                outcome.waiting.append(row)
        if outcome.waiting and trouble is None:
            outcome.is_attempt, outcome.wait = True, UNKNOWN_SECONDS
    return Presented(outcomes, trouble)


def _annotate(client: EngineClient, row: Row, outcome: BatchOutcome, attempt: Attempt) -> Trouble | None:
    """Send one; returns why no more can be sent, if so."""
    if not attempt.may_go_on():
        outcome.waiting.append(row)
        return Trouble("the time is over", "time")
    try:
        status = client.annotate(row.id, row.content, attempt.timeout)
    except ArthurError as error:
        outcome.waiting.append(row)
        return Trouble(str(error), type(error).__name__)
    if status == 200:
        outcome.sent += 1
        attempt.accept(1)
    elif status in _FOR_GOOD:
        outcome.dead.append(DeadLetter(row, f"{status}: the Engine rejected the annotation"))
    elif status == NOT_FOUND and outcome.batch.attempts >= PATIENCE_ATTEMPTS:
        outcome.dead.append(DeadLetter(row, "404: the Engine has no such trace"))
    else:
        outcome.waiting.append(row)
        return None if status == NOT_FOUND else trouble_of(status)
    return None
