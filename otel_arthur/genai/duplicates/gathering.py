"""The evidence of the calls of one batch, gathered as they come by."""

from __future__ import annotations

from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.evidence import Evidence, evidence_of
from otel_arthur.genai.duplicates.relations import Relations


class Gathering:
    """Takes calls one by one, and writes the evidence of each while all of it is at hand.

    Args:
        relations: what the process knows of earlier calls.
    """

    __slots__ = ("_evidence", "_relations", "_written")

    def __init__(self, relations: Relations) -> None:
        self._relations = relations
        self._evidence: list[Evidence] = []
        self._written: list[bytes] = []

    def add(self, call: LLMCall) -> None:
        """Take the evidence of a call."""
        evidence = evidence_of(call)
        try:
            self._written.append(evidence.to_json())
        except UnicodeEncodeError:
            return  # A name that is no Unicode text: the call is recorded without being compared.
        self._evidence.append(evidence)

    def written(self) -> tuple[str, bytes]:
        """The labels, one a line, and the evidence as JSON, as the spool keeps the two."""
        return "\n".join(sorted(self._relations.labels(self._evidence))), b"[" + b",".join(
            self._written
        ) + b"]"
