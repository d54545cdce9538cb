"""Whether a call may have been told before under the same scope, told at a glance as calls come by.

Two spans of one scope are one call only where they share a response id, or where one is the other's ancestor.
Most calls have no such relation to any other. For these, nobody needs to read the evidence of other calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_arthur.genai.duplicates.evidence import Evidence
from otel_arthur.genai.duplicates.matching import is_at_one_time

RELATED: Final = "related"
"""A label of its own: with it, the evidence of a batch is compared even where all have one scope."""
_NAMES: Final = 60_000
"""About 20,000 calls; twice as many names are remembered at most."""


class Relations:
    """Remembers the ids of the latest calls of one process. Losing a name costs one search, never a call."""

    __slots__ = ("_earlier", "_latest", "_limit")

    def __init__(self, limit: int = _NAMES) -> None:
        self._limit = limit
        self._latest: dict[str, Evidence] = {}
        self._earlier: dict[str, Evidence] = {}

    def labels(self, evidence: Evidence) -> Iterator[str]:
        """The labels of a call's evidence: scope and service, and `RELATED` where it has a relation."""
        yield f"{evidence.scope}\t{evidence.process.partition(chr(0))[0]}".replace("\n", " ")
        if self._is_related(evidence):
            yield RELATED

    def _is_related(self, evidence: Evidence) -> bool:
        trace = evidence.trace_id
        own = [trace + span for span in (evidence.span_id, *evidence.below)]
        above = [trace + span for span in (evidence.above or (evidence.parent_span_id or "",))]
        sought = [f"a{span}" for span in own] + [f"h{span}" for span in above]
        kept = [f"h{span}" for span in own] + [f"a{span}" for span in above]
        if evidence.response_id:
            sought.append(f"r{evidence.response_id}")
            kept.append(f"r{evidence.response_id}")
        is_related = any(self._is_known(name, evidence) for name in sought)
        if len(self._latest) > self._limit:
            self._earlier, self._latest = self._latest, {}
        self._latest.update(dict.fromkeys(kept, evidence))
        return is_related

    def _is_known(self, name: str, evidence: Evidence) -> bool:
        """Whether an earlier call has the name. A response id that comes again later is another call's."""
        earlier = self._latest.get(name) or self._earlier.get(name)
        if earlier is None:
            return False
        return name[0] != "r" or is_at_one_time(earlier, evidence)
