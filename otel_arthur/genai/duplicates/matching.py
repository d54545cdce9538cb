"""Which LLM calls are one call written down twice, by a framework's and a provider's instrumentation.

Pure and without memory: candidates in, losers out, whatever the order in which they arrived.
The strongest evidence joins first:

1. The same response id, at overlapping times.
2. An ancestor that is an LLM span and whose time holds the call's: a parent of another scope, or any
   ancestor with the same answer. An ancestor that ended before the call began is no evidence: its context
   has leaked (OpenLLMetry up to 0.54). A failed call below one that did not fail is a retry.
3. The same process, model and words at overlapping times. Where one of the two has no words: the same
   counts of tokens, and the time of one inside the other's.

Spans with different response ids are never one call. Nor are spans without such ids whose questions and
answers both differ. Two spans of one scope are one call by the first two alone, never by equal words.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from otel_arthur.genai.duplicates.evidence import Evidence
from otel_arthur.genai.duplicates.likeness import (
    contradict,
    holds,
    is_at_one_time,
    same_answer,
    same_counts,
    same_words,
)
from otel_arthur.genai.duplicates.pairs import clear_pairs
from otel_arthur.genai.span import SpanKey

_NEIGHBOURS = 8
"""Partners tried per candidate, scope and round, the nearest in time on each side."""
_ROUNDS = 64
_MAX_ABOVE = 16
"""Calls above a call that are looked at."""
_MAX_SCOPES = 16
"""Instrumentations that may describe one call; only a hostile sender names more."""

_Test: TypeAlias = Callable[[Evidence, Evidence], bool]
_Pair: TypeAlias = tuple[Evidence, Evidence]


def duplicates(
    candidates: Sequence[Evidence], known: Mapping[SpanKey, SpanKey] | None = None
) -> dict[SpanKey, SpanKey]:
    """The `candidates` whose call another candidate describes as well: loser -> winner.

    Matching is one to one between scopes: a scope describes a call once at most, unless evidence within the
    scope says otherwise. So two real calls are never taken for one, however alike. A pure function of the
    set of candidates: their order has no part in it.

    Args:
        known: earlier results about some of them, in the same form; they stay.
    """
    known = known or {}
    distinct = _by_key(candidates)
    if len(distinct) < len(candidates):
        distinct = _by_key(sorted(candidates, key=_order))
    if not known and len({candidate.scope for candidate in distinct.values()}) < 2:
        distinct = _related(distinct)
    if len(distinct) < 2:
        return {}
    losers: dict[SpanKey, SpanKey] = {}
    for group in _groups(distinct, known):
        winner = max(group, key=_worth)
        losers.update({loser.key: winner.key for loser in group if loser is not winner})
    return losers


def _by_key(candidates: Iterable[Evidence]) -> dict[SpanKey, Evidence]:
    return {(candidate.trace_id, candidate.span_id): candidate for candidate in candidates}


def _worth(candidate: Evidence) -> tuple[Any, ...]:
    return (
        *(not candidate.is_half, candidate.rank, -candidate.start_ns),
        *(candidate.trace_id, candidate.span_id),
    )


def _related(candidates: Mapping[SpanKey, Evidence]) -> dict[SpanKey, Evidence]:
    """Of candidates of one scope those that share a response id, or of which one is above the other."""
    ids = Counter([candidate.response_id for candidate in candidates.values()])
    homes = _homes(candidates)
    related: dict[SpanKey, Evidence] = {}
    for key, candidate in candidates.items():
        if candidate.response_id is not None and ids[candidate.response_id] > 1:
            related[key] = candidate
        if candidate.parent_span_id is not None or candidate.above:
            for above in _above(candidate, homes):
                related[key] = candidate
                related[above.key] = above
    return related


def _homes(candidates: Mapping[SpanKey, Evidence]) -> Mapping[SpanKey, Evidence]:
    """Span -> its call: the call that the span is, or the nearest call above it."""
    below = {(c.trace_id, span): c for c in candidates.values() if c.below for span in reversed(c.below)}
    return {**below, **candidates} if below else candidates


def _above(candidate: Evidence, homes: Mapping[SpanKey, Evidence]) -> Iterator[Evidence]:
    """The calls among the ancestors of a call, the nearest first."""
    seen: set[SpanKey] = {candidate.key}
    pending = [candidate]
    for call in pending:
        if len(seen) > _MAX_ABOVE:
            return
        for span in call.above or (call.parent_span_id,):
            above = homes.get((call.trace_id, span or ""))
            if above is not None and above.key not in seen:
                seen.add(above.key)
                pending.append(above)
                yield above


def _order(candidate: Evidence) -> tuple[Any, ...]:
    return candidate.start_ns, candidate.end_ns, candidate.key, candidate.rank, candidate.scope


def _groups(distinct: Mapping[SpanKey, Evidence], known: Mapping[SpanKey, SpanKey]) -> list[list[Evidence]]:
    """The candidates that describe one call, two or more each; at most one of each scope."""
    pairs = clear_pairs([*distinct.values()], _homes(distinct), {*known, *known.values()})
    paired = {id(call) for pair in pairs for call in pair}
    candidates = sorted([call for call in distinct.values() if id(call) not in paired], key=_order)
    clusters = _Clusters(candidates)
    for loser, winner in known.items():
        if loser in distinct and winner in distinct and loser != winner:
            clusters.join(distinct[loser], distinct[winner])
    clusters.join_while(lambda: _alike(candidates, _by_response_id, is_at_one_time, clusters, True))
    clusters.join_while(lambda: _with_ancestors(candidates, clusters.homes, clusters))
    for bucket, test in _CONTENT:
        clusters.join_while(lambda bucket=bucket, test=test: _alike(candidates, bucket, test, clusters))
    return pairs + clusters.of_several()


class _Clusters:
    """Disjoint sets of candidates, each with at most one candidate of a scope."""

    def __init__(self, candidates: Sequence[Evidence]) -> None:
        self.homes = _homes(_by_key(candidates))
        self._of: dict[SpanKey, list[Evidence]] = {candidate.key: [candidate] for candidate in candidates}

    def may_join(self, a: Evidence, b: Evidence) -> bool:
        first, second = self._of[a.key], self._of[b.key]
        return first is not second and not any(
            contradict(one, other) or (one.scope == other.scope and not self._once_in_scope(one, other))
            for one in first
            for other in second
        )

    def _once_in_scope(self, one: Evidence, other: Evidence) -> bool:
        """Whether two spans of one scope are one call."""
        if one.response_id is not None and one.response_id == other.response_id:
            return is_at_one_time(one, other)
        return self._is_inside(one, other) or self._is_inside(other, one)

    def _is_inside(self, inner: Evidence, outer: Evidence) -> bool:
        is_above = any(above is outer for above in _above(inner, self.homes))
        return is_above and holds(outer, inner) and (same_answer(outer, inner) or _completes(outer, inner))

    def has_scope(self, candidate: Evidence, scope: str) -> bool:
        return any(member.scope == scope for member in self._of[candidate.key])

    def join_while(self, pairs: Callable[[], Iterable[_Pair]]) -> None:
        """Join the nearest pairs first, and then the candidates that are still alone."""
        for _ in range(_ROUNDS):
            joined = False
            for a, b in sorted(pairs(), key=_distance):
                if self.may_join(a, b):
                    self.join(a, b)
                    joined = True
            if not joined:
                return

    def of_several(self) -> list[list[Evidence]]:
        distinct = {id(cluster): cluster for cluster in self._of.values() if len(cluster) > 1}
        return list(distinct.values())

    def join(self, a: Evidence, b: Evidence) -> None:
        first, second = self._of[a.key], self._of[b.key]
        merged = first if first is second else first + second
        for member in merged:
            self._of[member.key] = merged


def _distance(pair: _Pair) -> tuple[int, SpanKey, SpanKey]:
    a, b = pair
    return abs(a.start_ns - b.start_ns) + abs(a.end_ns - b.end_ns), a.key, b.key


def _with_ancestors(
    candidates: Sequence[Evidence], homes: Mapping[SpanKey, Evidence], clusters: _Clusters
) -> Iterator[_Pair]:
    for inner in candidates:
        for outer in _above(inner, homes):
            is_child = inner.parent_span_id == outer.span_id and inner.scope != outer.scope
            is_told = (is_child and not (inner.failed and not outer.failed)) or same_answer(outer, inner)
            is_told = is_told or _completes(outer, inner)
            if is_told and holds(outer, inner) and clusters.may_join(outer, inner):
                yield outer, inner


def _completes(outer: Evidence, inner: Evidence) -> bool:
    """Whether a child has no words and its parent, of the same scope, has the question: then the child
    completes the parent.

    So Mastra writes the counts of a call that asks for tools. Below an answered call a failure is a retry.
    """
    has_no_word = inner.question is None and inner.answer is None and outer.question is not None
    is_child = inner.parent_span_id == outer.span_id and inner.scope == outer.scope
    return is_child and has_no_word and not (inner.failed and outer.answer is not None)


def _alike(
    candidates: Sequence[Evidence],
    bucket: Callable[[Evidence], Hashable],
    test: _Test,
    clusters: _Clusters,
    within_scopes: bool = False,
) -> Iterator[_Pair]:
    """Near pairs of one bucket that pass `test`: of different scopes, or with `within_scopes` of one too."""
    buckets: dict[Hashable, dict[str, list[Evidence]]] = defaultdict(dict)
    for candidate in candidates:
        key = bucket(candidate)
        if key is not None:
            buckets[key].setdefault(candidate.scope, []).append(candidate)
    for scopes in buckets.values():
        names = sorted(scopes)[:_MAX_SCOPES]
        for position, name in enumerate(names):
            for other in names[position + (not within_scopes) :]:
                yield from _near(scopes[name], scopes[other], test, clusters)


def _near(ones: list[Evidence], others: list[Evidence], test: _Test, clusters: _Clusters) -> Iterator[_Pair]:
    """For each of `ones` the nearest of `others`, both in order of time, that may be its double."""
    if ones is not others and len(ones) * len(others) > 4 * _NEIGHBOURS**2:
        # A candidate that found its double must not take the place of one that did not.
        ones, others = _open(ones, others, clusters), _open(others, ones, clusters)
    starts = [other.start_ns for other in others]
    for index, one in enumerate(ones):
        middle = bisect_left(starts, one.start_ns)
        near = others[max(middle - _NEIGHBOURS, 0) : middle + _NEIGHBOURS]
        # Where many began at one moment, the first belongs to the first, and so on.
        for other in (*near, *others[index : index + 1]):
            if one is not other and test(one, other) and clusters.may_join(one, other):
                yield one, other


def _open(ones: list[Evidence], others: list[Evidence], clusters: _Clusters) -> list[Evidence]:
    scope = others[0].scope
    return [one for one in ones if not clusters.has_scope(one, scope)]


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
    (_by_answer, same_words),
    (_by_question, same_words),
    (_by_counts, same_counts),
)
