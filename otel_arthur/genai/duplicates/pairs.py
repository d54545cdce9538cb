"""Pairs that no third span can join, found at a glance: nearly all calls that were written twice are such
pairs.

All other pairs are found by the long way in `matching`, with the same result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from otel_arthur.genai.duplicates.evidence import Evidence
from otel_arthur.genai.duplicates.likeness import contradict, holds, is_at_one_time, same_answer
from otel_arthur.genai.span import SpanKey


def clear_pairs(
    candidates: Sequence[Evidence], homes: Mapping[SpanKey, Evidence], others: Collection[SpanKey]
) -> list[list[Evidence]]:
    """Pairs of two scopes that are one call by the first or the second evidence of `matching`.

    No other candidate shares with one of the two what could join it to them.

    Args:
        homes: span -> the call that it belongs to.
        others: calls that are in a group already.
    """
    ids = Counter([call.response_id for call in candidates])
    are_two = len({call.scope for call in candidates}) == 2
    answers = Counter([] if are_two else [call.answer for call in candidates])
    pairs: dict[tuple[int, int], tuple[Evidence, Evidence]] = {}
    first: dict[str, Evidence] = {}
    for call in candidates:
        if call.parent_span_id is not None or call.above:
            for span in call.above or (call.parent_span_id,):
                above = homes.get((call.trace_id, span)) if span else None
                if above is not None and above is not call:
                    a, b = id(call), id(above)
                    pairs[(a, b) if a < b else (b, a)] = above, call
        if call.response_id is not None and ids[call.response_id] == 2:
            other = first.setdefault(call.response_id, call)
            if other is not call:
                a, b = id(call), id(other)
                pairs[(a, b) if a < b else (b, a)] = other, call
    partners = Counter([one for pair in pairs for one in pair])
    found: list[list[Evidence]] = []
    for (one, other), (before, call) in pairs.items():
        if partners[one] > 1 or partners[other] > 1:
            continue
        is_alone = are_two or (call.answer is not None and call.answer == before.answer)
        if not is_alone or (not are_two and (None in answers or answers[call.answer] > 2)):
            continue
        if call.scope == before.scope or (others and (call.key in others or before.key in others)):
            continue
        if _is_one(before, call, ids):
            found.append([before, call])
    return found


def _is_one(call: Evidence, other: Evidence, ids: Counter[str | None]) -> bool:
    if call.response_id is not None and call.response_id == other.response_id:
        return ids[call.response_id] == 2 and is_at_one_time(call, other)
    if any(one.response_id is not None and ids[one.response_id] > 1 for one in (call, other)):
        return False
    inner, outer = (call, other) if call.parent_span_id == other.span_id else (other, call)
    if inner.parent_span_id != outer.span_id or inner.trace_id != outer.trace_id:
        return False
    is_told = not (inner.failed and not outer.failed) or same_answer(outer, inner)
    return is_told and holds(outer, inner) and not contradict(outer, inner)
