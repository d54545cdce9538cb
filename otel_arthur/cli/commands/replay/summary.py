"""What a replay found and what became of it: for people, for programs, and as the exit code."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any, Final

from otel_arthur.arthur.target.routes import model_of
from otel_arthur.cli.commands.replay.around import Chunk
from otel_arthur.cli.files.verdicts import Verdicts
from otel_arthur.cli.terminal.errors import WorkFailed
from otel_arthur.cli.terminal.output import plural, print_json, say
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery

RETENTION_DAYS: Final = 90
"""An Engine keeps spans so long after their end (arthur-engine 2.1.686)."""
INTERRUPTED: Final = "Interrupted"
_EXIT_INTERRUPTED: Final = 130


class Found:
    """The calls that are to be sent, counted as they pass."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.total = 0
        self._models: Counter[str] = Counter()
        self._old = 0

    def counted(self, chunk: Chunk) -> Chunk:
        """A chunk on its way."""
        kept_from = time.time_ns() - RETENTION_DAYS * 86_400 * 1_000_000_000
        for item in chunk.calls:
            self.total += 1
            self._models[model_of(item.call, self.configuration) or "(no model configured)"] += 1
            self._old += item.end_ns < kept_from
        return chunk

    def say(self, verdicts: Verdicts, *, as_json: bool, dry_run: bool) -> None:
        """What the files hold; where nothing was sent, what would be."""
        engine = self.configuration.engine
        if not as_json:
            say(f"{verdicts.told()}.")
        if engine is not None and self._old:
            say(
                f"{plural(self._old, 'call')} ended more than {RETENTION_DAYS} days ago: "
                "an Arthur Engine deletes such spans within a day.",
                err=True,
            )
        if not dry_run:
            return
        models = dict(self._models) if self.configuration.is_v3_target else {}
        endpoint = None if engine is None else engine.endpoint
        if as_json:
            spans = dict(verdicts.counts)
            print_json({"spans": spans, "calls": self.total, "models": models, "engine": endpoint})
            return
        if endpoint is not None:
            say(f"{plural(self.total, 'call')} would go to the Arthur Engine at {endpoint}.")
        for model_id, number in sorted(models.items()):
            say(f"{plural(number, 'call')} would go to model {model_id}.")
        if models or endpoint is None:
            say(f"{plural(self.total, 'call')} would be sent. Nothing was.")


def conclude(delivery: Delivery, found: Found, verdicts: Verdicts, broken_off: str, *, as_json: bool) -> None:
    """Say what became of the calls, and end with the exit code that tells the same.

    Args:
        broken_off: why calls are left that were not sent: `INTERRUPTED`, or other words; empty if none are.

    Raises:
        SystemExit: Ctrl-C ended the replay.
        WorkFailed: something was refused or is left.
    """
    counts = delivery.counts()
    configuration = found.configuration
    # Ground truth that somebody else recorded may wait for long; it is no part of this.
    left, row = delivery.calls_left(), _row_of(configuration)
    if as_json:
        told: dict[str, Any] = {
            "spans": dict(verdicts.counts),
            "calls": found.total,
            "accepted": counts.sent,
            "known": counts.known,
            "skipped": dict(counts.skipped),
            "refused": counts.dead_letter,
            "waiting": left,
        }
        print_json(told)
    else:
        known = [f"{counts.known} known to the spool already"] if counts.known else []
        words = [f"{plural(counts.sent, row)} accepted", *known]
        words += [f"{number} skipped: {reason}" for reason, number in counts.skipped.items()]
        words += [f"{counts.dead_letter} refused"] if counts.dead_letter else []
        words += [f"{left} waiting"] if left else []
        total = plural(found.total, "call")
        say(f"{total} replayed: {', '.join(words)}." if found.total else "Nothing was left to send.")
    where = configuration.spool_dir
    waits = f"; {plural(left, row)} wait{'s' if left == 1 else ''} in {where}" if where and left else ""
    on = "Run the same command again to go on"
    if broken_off:
        # What was not handed over yet is in the files, and nowhere else.
        on = f"{on} with the rest of the files{waits}."
    if broken_off == INTERRUPTED:
        say(f"{INTERRUPTED}. {on}", err=True)
        raise SystemExit(_EXIT_INTERRUPTED)
    if broken_off:
        raise WorkFailed(f"{broken_off}. {on}")
    if counts.dead_letter:
        raise WorkFailed(
            f"Arthur refused {plural(counts.dead_letter, row)}; "
            "`otel-arthur spool dead-letters list` says why"
        )
    if left:
        raise WorkFailed(f"{plural(left, row)} not with Arthur yet. {on}{waits}.")


def _row_of(configuration: Configuration) -> str:
    """What one call becomes."""
    if configuration.engine is None:
        return "inference"
    return "record" if configuration.is_v3_target else "span"
