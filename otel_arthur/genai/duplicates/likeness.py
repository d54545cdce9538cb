"""How alike two calls are: pure questions about a pair."""

from __future__ import annotations

from otel_arthur.genai.duplicates.evidence import Evidence

SLACK_NS = 5_000_000
"""Clocks of one process may disagree by this (a coarse clock, two clock sources)."""
SKEW_NS = 10_000_000_000
"""Clocks of two processes that took part in one trace may disagree by this."""


def contradict(a: Evidence, b: Evidence) -> bool:
    if a.response_id and b.response_id:
        return a.response_id != b.response_id
    return differ(a.answer, b.answer) and differ(a.question, b.question)


def differ(a: int | None, b: int | None) -> bool:
    return a is not None and b is not None and a != b


def overlap(a: Evidence, b: Evidence, slack: int) -> int:
    """Nanoseconds that two calls share, `slack` added; negative where they are apart."""
    # Not by `min` and `max`: this is asked of each pair.
    end = a.end_ns if a.end_ns < b.end_ns else b.end_ns
    return end - (a.start_ns if a.start_ns > b.start_ns else b.start_ns) + slack


def holds(outer: Evidence, inner: Evidence) -> bool:
    slack = SLACK_NS if outer.process == inner.process else SKEW_NS
    if overlap(outer, inner, 0) < 0 and outer.process == inner.process:
        return False
    return outer.start_ns - slack <= inner.start_ns and inner.end_ns <= outer.end_ns + slack


def same_time(a: Evidence, b: Evidence) -> bool:
    """One interval holds the other, or both are mostly the same (two handlers of one framework)."""
    longer = max(a.end_ns - a.start_ns, b.end_ns - b.start_ns)
    return holds(a, b) or holds(b, a) or overlap(a, b, SLACK_NS) * 2 >= longer + SLACK_NS


def is_at_one_time(a: Evidence, b: Evidence) -> bool:
    """Whether two calls overlap, as far as the clocks of their processes can tell."""
    return overlap(a, b, SLACK_NS if a.process == b.process else SKEW_NS) >= 0


def same_model(a: Evidence, b: Evidence) -> bool:
    """One name in common, a dated name and its alias counted as one; unknown models fit all."""
    if not a.models or not b.models:
        return True
    return any(one.startswith(other) or other.startswith(one) for one in a.models for other in b.models)


def same_answer(a: Evidence, b: Evidence) -> bool:
    """The same answer to the same question; of two that failed the same question alone."""
    if differ(a.question, b.question) or a.failed != b.failed:
        return False
    return (a.answer is not None and a.answer == b.answer) or (a.failed and a.question is not None)


def same_words(a: Evidence, b: Evidence) -> bool:
    if differ(a.question, b.question) or differ(a.answer, b.answer) or a.failed != b.failed:
        return False
    return same_model(a, b) and same_time(a, b)


def same_counts(a: Evidence, b: Evidence) -> bool:
    """For a pair of which one did not record words."""
    if (a.answer is not None and b.answer is not None) or a.failed != b.failed:
        return False
    return not differ(a.question, b.question) and same_model(a, b) and (holds(a, b) or holds(b, a))
