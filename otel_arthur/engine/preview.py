"""What the Engine would get of spans that are all at hand, for `inspect`."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace

from otel_arthur.configuration import Configuration, EngineConfiguration
from otel_arthur.engine.intake import completed
from otel_arthur.engine.kinds import Form
from otel_arthur.engine.target import EngineTarget
from otel_arthur.genai.duplicates.verdicts import Verdict
from otel_arthur.genai.steps.reading import around
from otel_arthur.genai.steps.step import Wordless
from otel_arthur.inference.privacy import TextRules


def preview(verdicts: Iterable[Verdict], configuration: Configuration, rules: TextRules) -> bytes:
    """One request with all spans: calls with what is around them, duplicates as chains."""
    engine = configuration.engine or EngineConfiguration(endpoint="http://localhost")
    # Duplicates are known already, so none has to be held.
    alone = replace(configuration, duplicate_window=0.0, engine=engine)
    target = EngineTarget(alone, engine, rules, threading.RLock())
    intake = target.intake(None, is_live=False)
    kept: dict[str, str] = {}
    for verdict in sorted(verdicts, key=lambda one: one.view.end_ns):
        call = verdict.reading.call
        if call is None:
            intake.add_around(around(verdict.view))
        elif verdict.decision == "skipped":
            intake.add_around(Wordless(call))
        else:
            intake.add(call)
            if verdict.duplicate_of is not None:
                kept[f"{call.trace_id}-{call.span_id}"] = "-".join(verdict.duplicate_of)
    written: list[bytes] = []
    for _, batch in intake.batches():
        for row in batch.rows:
            whole = completed(row, target.trees) if batch.form == Form.OPEN and target.trees else row
            sent = target.judge.demote(whole, kept[row.id]) if row.id in kept else whole
            if sent is not None:
                written.append(sent.content)
    return b"".join(written)
