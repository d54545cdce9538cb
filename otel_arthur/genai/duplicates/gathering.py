"""The evidence of the calls of one batch, gathered as they come by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from otel_arthur.genai.duplicates.evidence import Evidence, all_to_json
from otel_arthur.genai.duplicates.relations import Relations

_AT_ONCE: Final = 32


class Gathering:
    """Takes calls one by one, and writes the evidence of several at once, which costs less.

    Args:
        relations: what the process knows of earlier calls.
    """

    __slots__ = ("_evidence", "_relations", "_unwritten", "_written")

    def __init__(self, relations: Relations) -> None:
        self._relations = relations
        self._unwritten: list[Evidence] = []
        self._evidence: list[Evidence] = []
        self._written: list[bytes] = []

    def add(self, evidence: Evidence) -> None:
        """Take the evidence of a call."""
        self.add_all((evidence,))

    def add_all(self, evidence: Sequence[Evidence]) -> None:
        """Take the evidence of several calls."""
        self._unwritten += evidence
        if len(self._unwritten) >= _AT_ONCE:
            self._write()

    def written(self) -> tuple[str, bytes, int | None, Sequence[Evidence] | None]:
        """For the spool: the labels, one a line; the evidence as JSON; when the last call ended; and, where
        calls of several scopes come by, the evidence as it is."""
        self._write()
        evidence = self._evidence
        labels = "\n".join(sorted(self._relations.labels(evidence)))
        ended = max([call.end_ns for call in evidence], default=None)
        original = evidence if self._relations.are_several else None
        return labels, b"[" + b",".join(self._written) + b"]", ended, original

    def _write(self) -> None:
        evidence, self._unwritten = self._unwritten, []
        self._keep(evidence)

    def _keep(self, evidence: list[Evidence]) -> None:
        try:
            written = all_to_json(evidence)
        except UnicodeEncodeError:
            # A name is no Unicode text: that call is recorded without being compared.
            if len(evidence) > 1:
                for one in evidence:
                    self._keep([one])
            return
        if evidence:
            self._written.append(written[1:-1])
            self._evidence += evidence
