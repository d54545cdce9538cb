"""Which of the calls that wait are duplicates: the decision that closes a duplicate window."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from otel_arthur.genai.duplicates.evidence import Evidence, all_from_json
from otel_arthur.genai.duplicates.likeness import SKEW_NS
from otel_arthur.genai.duplicates.matching import duplicates
from otel_arthur.genai.duplicates.memory import Memory
from otel_arthur.genai.span import SpanKey


class Hearing(Protocol):
    """The batches of calls that there are, by number."""

    @property
    def due(self) -> Collection[int]:
        """The batches to decide about."""
        ...

    @property
    def held(self) -> Collection[int]:
        """The batches that nobody has decided about, those that are due included."""
        ...

    @property
    def since(self) -> int:
        """The oldest that counts."""
        ...

    @property
    def kept(self) -> dict[str, Any]:
        """The memory from one decision to the next; empty in the beginning."""
        ...

    def ended_after(self, moment_ns: int) -> Iterable[int]:
        """The batches with a call that ended after a moment, as far as is known."""
        ...

    def evidence(self, number: int) -> bytes | Sequence[Evidence]:
        """What `Gathering` wrote of a batch, or the calls themselves."""
        ...

    def winners(self, losers: Collection[str]) -> Mapping[str, str]:
        """Those of `losers` that were found to be duplicates before: call -> the call that was kept."""
        ...


class Decision(NamedTuple):
    """Calls by name: trace id, hyphen, span id."""

    losers: Mapping[str, str]
    """Duplicates among the calls that are due -> the call that is sent for each."""
    others: Mapping[str, Sequence[tuple[int, str]]]
    """A call that is due and sent -> its duplicates that are not due, each with its batch."""
    waiting: Collection[str]
    """Calls that are sent for a loser, and are not due yet."""


def decide(hearing: Hearing) -> Decision:
    """The duplicates among the calls that are due. Other calls that are held are decided about later."""
    memory: Memory = hearing.kept.setdefault("memory", Memory())
    for number in sorted(hearing.held):
        _calls(hearing, memory, number)
    due = {(c.trace_id, c.span_id): c for number in hearing.due for c in memory.of(number) or ()}
    if not due:
        return Decision({}, {}, ())
    calls = [*due.values()]
    for number in hearing.ended_after(min([call.start_ns for call in calls]) - SKEW_NS):
        _calls(hearing, memory, number)
    near = memory.near(calls, hearing.since, hearing.due)
    if near:
        # And the calls that those may be the same as: a call that has its double is nobody else's.
        near.update(memory.near([call for _, call in near.values()], hearing.since, hearing.due))
    for key in due.keys() & near.keys():
        del near[key]
    sent = {_name(key): key for key, (number, _) in near.items() if number not in hearing.held}
    known = {sent[name]: _key(kept) for name, kept in hearing.winners(sent).items()} if sent else {}
    # A half without a call is left out, as if it were its own duplicate.
    halves = [_name(call.key) for call in calls if call.is_half]
    losers = dict(zip(halves, halves, strict=True))
    others: dict[str, list[tuple[int, str]]] = {}
    waiting: set[str] = set()
    groups: dict[SpanKey, list[SpanKey]] = {}
    for loser, winner in duplicates([*calls, *(call for _, call in near.values())], known).items():
        groups.setdefault(winner, [winner]).append(loser)
    for members in groups.values():
        if near.keys().isdisjoint(members):
            kept, *lost = [f"{trace_id}-{span_id}" for trace_id, span_id in members]
            losers.update(dict.fromkeys(lost, kept))
            continue
        undecided = [key for key in members if key not in known]
        here = [key for key in undecided if key in due]
        if not here:
            continue
        kept = next((key for key in undecided if _name(key) in sent), undecided[0])
        if kept in due:
            others[_name(kept)] = [(near[key][0], _name(key)) for key in members if key in near]
        elif _name(kept) not in sent:
            waiting.add(_name(kept))
        losers.update({_name(key): _name(kept) for key in here if key != kept})
    return Decision(losers, others, waiting)


def _calls(hearing: Hearing, memory: Memory, number: int) -> None:
    if memory.of(number) is not None:
        return
    found = hearing.evidence(number)
    if isinstance(found, bytes):
        try:
            found = all_from_json(found)
        except ValueError:
            found = ()  # Evidence that we did not write: its calls are sent without being compared.
    memory.add(number, found)


def _name(key: SpanKey) -> str:
    return f"{key[0]}-{key[1]}"


def _key(name: str) -> SpanKey:
    trace_id, _, span_id = name.partition("-")
    return trace_id, span_id
