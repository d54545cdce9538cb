"""The spans that a replay sends beside the calls, to a target of whole traces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.verdicts import Verdict
from otel_arthur.genai.steps.kinds import CHAIN
from otel_arthur.genai.steps.reading import around
from otel_arthur.genai.steps.step import Meaning, Step, frame_of


def around_calls(verdicts: Iterable[Verdict]) -> Mapping[str, list[Meaning]]:
    """Trace -> the spans that are no calls, and duplicates as chains."""
    found: dict[str, list[Meaning]] = {}
    for verdict in sorted(verdicts, key=lambda one: one.view.end_ns):
        view, call = verdict.view, verdict.reading.call
        if call is None:
            meaning: Meaning = around(view)
        elif verdict.decision == "duplicate":
            meaning = Step(frame_of(view), CHAIN)
        else:
            continue
        found.setdefault(view.trace_id, []).append(meaning)
    return found


def around_these(found: Mapping[str, list[Meaning]], calls: Iterable[LLMCall]) -> Iterator[Meaning]:
    """The spans around calls that were handed over before: these calls ask for the spans above them."""
    for trace_id in dict.fromkeys(call.trace_id for call in calls):
        yield from found.get(trace_id, ())
