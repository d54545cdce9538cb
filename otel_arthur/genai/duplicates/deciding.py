"""Which of the calls that wait are told by another one: the decision that closes a duplicate window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from otel_arthur.genai.duplicates.evidence import Evidence, all_from_json
from otel_arthur.genai.duplicates.matching import duplicates
from otel_arthur.genai.span import SpanKey


def decide(evidence: Iterable[tuple[bytes, bool]], known: Mapping[str, str]) -> dict[str, str]:
    """The duplicates among the calls that wait: call -> the call that is sent for it.

    Args:
        evidence: of one batch each, as JSON, and whether its calls wait; those of the others were sent.
        known: the duplicates found before, in the same form.
    """
    candidates: list[Evidence] = []
    waiting: set[SpanKey] = set()
    for body, is_waiting in evidence:
        try:
            found = all_from_json(body)
        except ValueError:
            continue  # Not what we wrote: its calls are sent without being compared.
        candidates += found
        if is_waiting:
            waiting.update(one.key for one in found)
    groups: dict[SpanKey, list[SpanKey]] = {}
    for loser, winner in duplicates(candidates).items():
        groups.setdefault(winner, [winner]).append(loser)
    # Nothing goes with a half: it is left out, as if it told what it tells itself.
    halves = (one.key for one in candidates if one.is_half and one.key in waiting)
    losers: dict[str, str] = {name: name for key in halves if (name := _name(key)) not in known}
    for winner, members in groups.items():
        open_members = [key for key in members if _name(key) not in known]
        sent = [key for key in open_members if key not in waiting]
        kept = sent[0] if sent else winner
        losers.update({_name(key): _name(kept) for key in open_members if key in waiting and key != kept})
    return losers


def _name(key: SpanKey) -> str:
    return f"{key[0]}-{key[1]}"
