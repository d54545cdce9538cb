"""`record_feedback`: what somebody thinks of an answer, as an annotation at the Arthur Engine."""

from __future__ import annotations

import logging
from typing import Any

from otel_arthur.inference.identity import parse
from otel_arthur.notices import Notices
from otel_arthur.process.never_raises import never_raises
from otel_arthur.process.per_process import PerProcess
from otel_arthur.sdk.api.capture import is_sampled
from otel_arthur.sdk.api.ground_truth import delivery_in_use
from otel_arthur.target.contract import Feedback

_logger = logging.getLogger("otel_arthur")

NOT_SENT = "feedback on a call that is not sent"
_CALLS = 1000
"""Whose feedback is remembered, to say when two share a trace."""
_latest: PerProcess[dict[str, str]] = PerProcess(dict)
"""Trace -> the call that feedback was given on last."""
_notices: PerProcess[Notices] = PerProcess(Notices)


def record_feedback(
    inference_id: str | None = None,
    *,
    score: int,
    explanation: str | None = None,
    trace_id: str | None = None,
) -> bool:
    """Annotate the trace of a call at the Arthur Engine; returns whether the feedback was taken for sending.

    Args:
        inference_id: the ``partner_inference_id``, from `inference_id` or `capture`.
        score: 1 is good, 0 is bad.
        explanation: why, in words; it is redacted as prompts are.
        trace_id: the trace in 32 hexadecimal digits, instead of a call in it.

    The Engine has one annotation of a person for each trace: a later one replaces it, whichever call of the
    trace it was about. It is spooled and retried as calls are, and waits for a call that is still on its way.
    Never raises: a bad argument is one log line and False.
    """
    with never_raises("feedback was not taken"):
        feedback = _feedback(inference_id, trace_id, score, explanation)
        if feedback is None:
            return False
        if not is_sampled(feedback.trace_id):
            delivery_in_use().skip(NOT_SENT)
            return False
        _say_where_two_share(feedback)
        taken = delivery_in_use().submit_feedback([feedback])
        return bool(taken.spooled or taken.in_memory)
    return False


def _feedback(inference_id: Any, trace_id: Any, score: Any, explanation: Any) -> Feedback | None:
    """What is sent; None where an argument cannot be used, which is said."""
    ids = feedback_ids(inference_id, trace_id)
    if ids is None:
        name, value = ("inference_id", inference_id) if inference_id is not None else ("trace_id", trace_id)
        return _refused(name, value, "give the id that capture() or inference_id() gave, or 32 hex digits")
    if type(score) not in (int, bool) or score not in (0, 1):
        return _refused("score", score, "it must be 1 for good or 0 for bad")
    if not isinstance(explanation, str | None):
        return _refused("explanation", explanation, "it must be a text")
    return Feedback(*ids, int(score), explanation or None)


def feedback_ids(inference_id: Any, trace_id: Any) -> tuple[str, str | None] | None:
    """The trace, and the span of the call where it is known; None where neither id can be used."""
    if isinstance(inference_id, str) and (parsed := parse(inference_id)) is not None:
        return parsed[0], parsed[1]
    if inference_id is None and isinstance(trace_id, str):
        digits = trace_id.strip().lower()
        if len(digits) == 32 and not set(digits) - set("0123456789abcdef"):
            return digits, None
    return None


def _say_where_two_share(feedback: Feedback) -> None:
    latest = _latest.get()
    before = latest.pop(feedback.trace_id, None)
    if feedback.span_id is None:
        return
    latest[feedback.trace_id] = feedback.span_id
    if len(latest) > _CALLS:
        del latest[next(iter(latest))]
    if before not in (None, feedback.span_id):
        _notices.get().say(
            "a shared trace",
            "feedback on several calls of one trace: the Engine keeps one annotation for each trace, the "
            "latest",
        )


def _refused(name: str, value: Any, fix: str) -> None:
    kind = "not usable" if isinstance(value, str | int) else f"of type {type(value).__name__}"
    _logger.warning("otel-arthur: feedback is ignored: argument %s is %s; %s", name, kind, fix)
