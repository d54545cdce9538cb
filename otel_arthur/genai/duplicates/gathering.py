"""The evidence of the calls of one batch, gathered as they come by."""

from __future__ import annotations

from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.evidence import Evidence, all_to_json, evidence_of
from otel_arthur.genai.duplicates.relations import Relations


class Gathering:
    """Takes calls one by one, and is written down once for all of them.

    Args:
        relations: what the process knows of earlier calls.
    """

    __slots__ = ("_evidence", "_relations")

    def __init__(self, relations: Relations) -> None:
        self._relations = relations
        self._evidence: list[Evidence] = []

    def add(self, call: LLMCall) -> None:
        """Take the evidence of a call."""
        self._evidence.append(evidence_of(call))

    def written(self) -> tuple[str, bytes]:
        """The labels, one a line, and the evidence as JSON, as the spool keeps the two."""
        try:
            body = all_to_json(self._evidence)
        except UnicodeEncodeError:
            # A name that is no Unicode text: such calls are recorded without being compared.
            self._evidence = [one for one in self._evidence if _is_writable(one)]
            body = all_to_json(self._evidence)
        return "\n".join(sorted(self._relations.labels(self._evidence))), body


def _is_writable(evidence: Evidence) -> bool:
    try:
        all_to_json((evidence,))
    except UnicodeEncodeError:
        return False
    return True
