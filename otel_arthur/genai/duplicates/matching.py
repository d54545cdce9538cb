"""Which LLM calls are one call written down twice, by a framework's and a provider's instrumentation.

Pure and without memory: candidates in, losers out, whatever the order in which they arrived.
The strongest evidence joins first:

1. The same response id, at overlapping times.
2. A parent that is an LLM span of another scope and whose interval holds the child's. A parent
   that had ended before the child began is a leaked context (OpenLLMetry up to 0.54), no evidence.
3. The same process, model and words at overlapping times; where one of them did not record
   words, the same token counts, one interval inside the other.

Differing response ids, or differing words on both sides of the call, speak against every pair.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from otel_arthur.genai.duplicates.evidence import Evidence
from otel_arthur.genai.span import SpanKey

SLACK_NS = 5_000_000
"""Clocks of one process may disagree by this (a coarse clock, two clock sources)."""
SKEW_NS = 10_000_000_000
"""Clocks of two processes that took part in one trace may disagree by this."""
_NEIGHBOURS = 8
"""Partners tried per candidate, scope and round, the nearest in time on each side."""
_ROUNDS = 64
_MAX_SCOPES = 16
"""Instrumentations that may tell of one call; what names more is hostile."""

_Test: TypeAlias = Callable[[Evidence, Evidence], bool]
_Pair: TypeAlias = tuple[Evidence, Evidence]


def duplicates(candidates: Sequence[Evidence]) -> dict[SpanKey, SpanKey]:
    """Those of `candidates` that another one describes as well: loser -> winner.

    One to one between instrumentation scopes: a call is described at most once by each scope,
    so two real calls are never taken for one, however alike. A pure function of the set of
    candidates; their order has no part in it.
    """
    distinct = {candidate.key: candidate for candidate in sorted(candidates, key=_order)}
    if len({candidate.scope for candidate in distinct.values()}) < 2:
        return {}
    losers: dict[SpanKey, SpanKey] = {}
    for group in _groups(sorted(distinct.values(), key=_order)):
        winner = max(group, key=lambda candidate: (candidate.rank, -candidate.start_ns, candidate.key))
        losers.update({loser.key: winner.key for loser in group if loser is not winner})
    return losers


def _order(candidate: Evidence) -> tuple[Any, ...]:
    return candidate.start_ns, candidate.end_ns, candidate.key, candidate.rank, candidate.scope


def _groups(candidates: Sequence[Evidence]) -> list[list[Evidence]]:
    """The candidates that describe one call, two or more each; at most one of each scope."""
    clusters = _Clusters(candidates)
    clusters.join_while(lambda: _alike(candidates, _by_response_id, _same_response, clusters))
    parents = {candidate.key: candidate for candidate in candidates}
    clusters.join_while(lambda: _with_parents(candidates, parents, clusters))
    for bucket, test in _CONTENT:
        clusters.join_while(lambda bucket=bucket, test=test: _alike(candidates, bucket, test, clusters))
    return clusters.of_several()


class _Clusters:
    """Disjoint sets of candidates, each with at most one candidate of a scope."""

    def __init__(self, candidates: Sequence[Evidence]) -> None:
        self._of: dict[SpanKey, list[Evidence]] = {candidate.key: [candidate] for candidate in candidates}

    def may_join(self, a: Evidence, b: Evidence) -> bool:
        first, second = self._of[a.key], self._of[b.key]
        return first is not second and not any(
            one.scope == other.scope or _contradict(one, other) for one in first for other in second
        )

    def has_scope(self, candidate: Evidence, scope: str) -> bool:
        return any(member.scope == scope for member in self._of[candidate.key])

    def join_while(self, pairs: Callable[[], Iterable[_Pair]]) -> None:
        """Join the nearest pairs first, and ask again for what is still alone."""
        for _ in range(_ROUNDS):
            joined = False
            for a, b in sorted(pairs(), key=_distance):
                if self.may_join(a, b):
                    self._join(a, b)
                    joined = True
            if not joined:
                return

    def of_several(self) -> list[list[Evidence]]:
        distinct = {id(cluster): cluster for cluster in self._of.values() if len(cluster) > 1}
        return list(distinct.values())

    def _join(self, a: Evidence, b: Evidence) -> None:
        merged = self._of[a.key] + self._of[b.key]
        for member in merged:
            self._of[member.key] = merged


def _distance(pair: _Pair) -> tuple[int, SpanKey, SpanKey]:
    a, b = pair
    return abs(a.start_ns - b.start_ns) + abs(a.end_ns - b.end_ns), a.key, b.key


def _contradict(a: Evidence, b: Evidence) -> bool:
    if a.response_id and b.response_id:
        return a.response_id != b.response_id
    return _differ(a.answer, b.answer) and _differ(a.question, b.question)


def _differ(a: int | None, b: int | None) -> bool:
    return a is not None and b is not None and a != b


def _with_parents(
    candidates: Sequence[Evidence], parents: dict[SpanKey, Evidence], clusters: _Clusters
) -> Iterator[_Pair]:
    for child in candidates:
        parent = parents.get((child.trace_id, child.parent_span_id or ""))
        if parent is not None and _holds(parent, child) and clusters.may_join(parent, child):
            yield parent, child


def _alike(
    candidates: Sequence[Evidence],
    bucket: Callable[[Evidence], Hashable],
    test: _Test,
    clusters: _Clusters,
) -> Iterator[_Pair]:
    """Pairs from the same bucket and different scopes that pass `test`, near ones only."""
    buckets: dict[Hashable, dict[str, list[Evidence]]] = defaultdict(dict)
    for candidate in candidates:
        key = bucket(candidate)
        if key is not None:
            buckets[key].setdefault(candidate.scope, []).append(candidate)
    for scopes in buckets.values():
        names = sorted(scopes)[:_MAX_SCOPES]
        for position, name in enumerate(names):
            for other in names[position + 1 :]:
                yield from _near(scopes[name], scopes[other], test, clusters)


def _near(ones: list[Evidence], others: list[Evidence], test: _Test, clusters: _Clusters) -> Iterator[_Pair]:
    """For each of `ones` the nearest of `others`, both in order of time, that may be its double."""
    if len(ones) * len(others) > 4 * _NEIGHBOURS**2:
        # What found its double in an earlier round must not take the places of what did not.
        ones, others = _open(ones, others, clusters), _open(others, ones, clusters)
    starts = [other.start_ns for other in others]
    for index, one in enumerate(ones):
        middle = bisect_left(starts, one.start_ns)
        near = others[max(middle - _NEIGHBOURS, 0) : middle + _NEIGHBOURS]
        # Where many began at one moment, the first belongs to the first, and so on.
        for other in (*near, *others[index : index + 1]):
            if test(one, other) and clusters.may_join(one, other):
                yield one, other


def _open(ones: list[Evidence], others: list[Evidence], clusters: _Clusters) -> list[Evidence]:
    scope = others[0].scope
    return [one for one in ones if not clusters.has_scope(one, scope)]


def _overlap(a: Evidence, b: Evidence, slack: int) -> int:
    """Nanoseconds that two calls share, `slack` added; negative where they are apart."""
    return min(a.end_ns, b.end_ns) - max(a.start_ns, b.start_ns) + slack


def _holds(outer: Evidence, inner: Evidence) -> bool:
    slack = SLACK_NS if outer.process == inner.process else SKEW_NS
    if _overlap(outer, inner, 0) < 0 and outer.process == inner.process:
        return False
    return outer.start_ns - slack <= inner.start_ns and inner.end_ns <= outer.end_ns + slack


def _same_time(a: Evidence, b: Evidence) -> bool:
    """One interval holds the other, or both are mostly the same (two handlers of one framework)."""
    longer = max(a.end_ns - a.start_ns, b.end_ns - b.start_ns)
    return _holds(a, b) or _holds(b, a) or _overlap(a, b, SLACK_NS) * 2 >= longer + SLACK_NS


def _same_response(a: Evidence, b: Evidence) -> bool:
    return _overlap(a, b, SLACK_NS if a.process == b.process else SKEW_NS) >= 0


def _same_model(a: Evidence, b: Evidence) -> bool:
    """One name in common, a dated name and its alias counted as one; unknown models fit all."""
    if not a.models or not b.models:
        return True
    return any(one.startswith(other) or other.startswith(one) for one in a.models for other in b.models)


def _same_words(a: Evidence, b: Evidence) -> bool:
    if _differ(a.question, b.question) or _differ(a.answer, b.answer) or a.failed != b.failed:
        return False
    return _same_model(a, b) and _same_time(a, b)


def _same_counts(a: Evidence, b: Evidence) -> bool:
    """For a pair of which one did not record words."""
    if (a.answer is not None and b.answer is not None) or a.failed != b.failed:
        return False
    return not _differ(a.question, b.question) and _same_model(a, b) and (_holds(a, b) or _holds(b, a))


def _by_response_id(candidate: Evidence) -> Hashable:
    return candidate.response_id


def _by_answer(candidate: Evidence) -> Hashable:
    return None if candidate.answer is None else (candidate.process, candidate.answer)


def _by_question(candidate: Evidence) -> Hashable:
    """Only for calls that failed: a question alone may be asked twice at a time."""
    asked = candidate.question is not None and candidate.failed
    return (candidate.process, candidate.question) if asked else None


def _by_counts(candidate: Evidence) -> Hashable:
    if candidate.failed:
        return candidate.process, "failed"
    return (candidate.process, candidate.tokens) if candidate.tokens else None


_CONTENT: tuple[tuple[Callable[[Evidence], Hashable], _Test], ...] = (
    (_by_answer, _same_words),
    (_by_question, _same_words),
    (_by_counts, _same_counts),
)
