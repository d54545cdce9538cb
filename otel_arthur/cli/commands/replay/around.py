"""What a replay sends beside the calls, to a target of whole traces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.verdicts import Verdict
from otel_arthur.genai.steps.kinds import CHAIN
from otel_arthur.genai.steps.reading import around
from otel_arthur.genai.steps.step import Step, Told, frame_of


def around_calls(verdicts: Iterable[Verdict]) -> Mapping[str, list[Told]]:
    """Trace -> the spans that are no calls, and duplicates as chains."""
    found: dict[str, list[Told]] = {}
    for verdict in sorted(verdicts, key=lambda one: one.view.end_ns):
        view, call = verdict.view, verdict.reading.call
        if call is None:
            told: Told = around(view)
        elif verdict.decision == "duplicate":
            told = Step(frame_of(view), CHAIN)
        else:
            continue
        found.setdefault(view.trace_id, []).append(told)
    return found


def around_these(found: Mapping[str, list[Told]], calls: Iterable[LLMCall]) -> Iterator[Told]:
    """What is around calls that were handed over before: these ask for what is above them."""
    for trace_id in dict.fromkeys(call.trace_id for call in calls):
        yield from found.get(trace_id, ())
