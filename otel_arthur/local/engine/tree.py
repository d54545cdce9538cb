"""A trace's spans as a tree, for a page or a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from otel_arthur.local.engine.traces import StoredSpan


def tree_of(spans: Sequence[StoredSpan]) -> list[tuple[int, StoredSpan]]:
    """Each span with its depth, from the root down, siblings by their start.

    A span whose parent is missing is a root too.
    """
    ids = {span.span_id for span in spans}
    below: dict[str | None, list[StoredSpan]] = {}
    for span in sorted(spans, key=lambda span: (span.start_ns, span.number)):
        parent = span.parent_span_id if span.parent_span_id in ids else None
        below.setdefault(parent, []).append(span)
    found: list[tuple[int, StoredSpan]] = []
    waiting = [(0, span) for span in reversed(below.pop(None, []))]
    while waiting:
        depth, span = waiting.pop()
        found.append((depth, span))
        waiting += [(depth + 1, child) for child in reversed(below.pop(span.span_id, []))]
    # A circle of parents has no root.
    return found + [(0, span) for rest in below.values() for span in rest]
