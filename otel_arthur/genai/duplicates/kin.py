"""The spans above and below a call in its trace, as far as the spans at hand tell.

A call may be written down by an application and again by a gateway that it goes through, with spans of HTTP
between the two. Those are no calls and are not kept, so each call takes with it what it must know of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from otel_arthur.genai.span import Kin, SpanKey

_MAX_ABOVE = 16
_MAX_BELOW = 64


def kin_of(calls: Iterable[SpanKey], parents: Mapping[SpanKey, str | None]) -> dict[SpanKey, Kin]:
    """The ids of the spans above each call, and of those below that are no calls; of calls that have such.

    Args:
        calls: the spans that are calls, or may be.
        parents: span -> its parent, of all spans at hand.
    """
    calls = set(calls)
    below: dict[SpanKey, list[str]] = defaultdict(list)
    for (trace_id, span_id), parent in parents.items():
        if (trace_id, span_id) in calls:
            continue
        for above in _above(trace_id, parent, parents):
            key = (trace_id, above)
            if key in calls and len(below[key]) < _MAX_BELOW:
                below[key].append(span_id)
    kin: dict[SpanKey, Kin] = {}
    for key in calls:
        trace_id, parent = key[0], parents.get(key)
        # Of most calls no more than the parent is known, or not even that.
        if key in below or (parent is not None and parents.get((trace_id, parent)) is not None):
            kin[key] = Kin(tuple(_above(trace_id, parent, parents)), tuple(below.get(key, ())))
    return kin


def _above(trace_id: str, parent: str | None, parents: Mapping[SpanKey, str | None]) -> Iterator[str]:
    for _ in range(_MAX_ABOVE):
        if parent is None:
            return
        yield parent
        parent = parents.get((trace_id, parent))
