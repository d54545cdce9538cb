"""Which of the calls that are held are told by another one: the decision that closes a duplicate window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from otel_arthur.genai.duplicates.evidence import Evidence, all_from_json
from otel_arthur.genai.duplicates.matching import duplicates
from otel_arthur.genai.span import SpanKey
from otel_arthur.spool.duplicate_window import Testimony


def decide(testimonies: Sequence[Testimony], known: Mapping[str, str]) -> dict[str, str]:
    """The duplicates among the calls that are held: call -> the call that is sent for it.

    Args:
        known: the duplicates found before, in the same form.
    """
    candidates: list[Evidence] = []
    held: set[SpanKey] = set()
    for testimony in testimonies:
        try:
            found = all_from_json(testimony.body)
        except ValueError:
            continue  # Not what we wrote: its calls are sent without being compared.
        candidates += found
        if testimony.is_held:
            held.update(evidence.key for evidence in found)
    groups: dict[SpanKey, list[SpanKey]] = {}
    for loser, winner in duplicates(candidates).items():
        groups.setdefault(winner, [winner]).append(loser)
    losers: dict[str, str] = {}
    for winner, members in groups.items():
        undecided = {key for key in members if key in held and _name(key) not in known}
        sent = [key for key in members if key not in held and _name(key) not in known]
        kept = sent[0] if sent else winner
        losers.update({_name(key): _name(kept) for key in members if key in undecided and key != kept})
    return losers


def _name(key: SpanKey) -> str:
    return f"{key[0]}-{key[1]}"
