"""``otel-arthur replay``: send the calls in trace exports; backfill, resumable, idempotent."""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from otel_arthur.arthur.target.routes import model_of
from otel_arthur.cli.commands.replay.around import around_calls, around_these
from otel_arthur.cli.commands.replay.journal import Journal
from otel_arthur.cli.commands.replay.work import Item, journal_folder, journals_of, work_in
from otel_arthur.cli.configured import READING, SENDING, configured
from otel_arthur.cli.connection import fetch_schema
from otel_arthur.cli.files.trace_files import FILES, FORMATS, Export, read_export
from otel_arthur.cli.parameters import seconds
from otel_arthur.cli.terminal import new_console
from otel_arthur.cli.terminal.errors import WorkFailed, WrongUse
from otel_arthur.cli.terminal.output import plural, say
from otel_arthur.cli.terminal.screen import Screen
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from otel_arthur.genai.duplicates.verdicts import Verdict, judge
from otel_arthur.genai.steps.step import Told

CHUNK = 256
"""Calls handed over at once. The next wait until Arthur has these: a backfill never fills the spool."""


RETENTION_DAYS = 90
"""An Engine keeps spans so long after their end (arthur-engine 2.1.686)."""
_INTERRUPTED = 130


def _moment(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    """RFC 3339, or a date, which is its first moment; UTC where no offset is given. In nanoseconds."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", value.strip()))
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is neither a date as 2026-11-22 nor a time as 2026-11-22T12:00:00Z"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return round(moment.timestamp() * 1_000_000) * 1000


class _LogLines(logging.Handler):
    """The log above the progress, a line each."""

    def __init__(self, console: Screen) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(self.format(record))


@click.command(
    help=f"{FORMATS}\n\n"
    "A call keeps the id that the exporter would have given it, so what Arthur has already is not "
    "doubled. Interrupted, the same command goes on where it stopped. Exit 0 when Arthur accepted all, "
    "1 when something was refused or is left.",
    epilog="Example: otel-arthur replay traces.jsonl --since 2026-11-01 --until 2026-12-01",
)
@FILES
@click.option(
    "--since",
    callback=_moment,
    metavar="MOMENT",
    help="Only calls that ended then or later: date or RFC 3339.",
)
@click.option(
    "--until", callback=_moment, metavar="MOMENT", help="Only calls that ended before: date or RFC 3339."
)
@click.option("--dry-run", is_flag=True, help="Say what would be sent, sending nothing.")
@click.option("--restart", is_flag=True, help="Begin anew even if these files were replayed before.")
@seconds("--patience", 60.0, "Seconds without progress after which to give up.", min=1)
def command(
    files: Sequence[str], since: int | None, until: int | None, dry_run: bool, restart: bool, patience: float
) -> None:
    if since is not None and until is not None and since >= until:
        raise WrongUse("--since must be before --until")
    configuration = configured(*SENDING, *READING, "sample_ratio")
    if configuration.missing is not None and not dry_run:
        raise WrongUse(configuration.missing)
    folder = None if configuration.spool_dir is None else journal_folder(configuration.spool_dir, dry_run)
    export = read_export(files)
    metadata_only = configuration.content == "metadata"
    verdicts = judge(export.views, configuration.attributes, metadata_only)
    _say_found(verdicts, export)
    journals = journals_of(configuration, folder, export.digests, f"{since} {until}")
    engine = configuration.engine
    is_whole = engine is not None and engine.spans == "traces"
    between = since, until
    work = list(work_in(verdicts, export, journals, between, restart, wants_wordless=is_whole))
    if engine is not None:
        _say_retention(work)
    if dry_run:
        _say_would(configuration, work)
        return
    for model_id in sorted({model_of(item.call, configuration) for item in work} - {""}):
        fetch_schema(configuration, model_id)  # A wrong key or model is said at once, not after retries.
    _Replay(configuration, journals, patience, verdicts).run(work, export.ends)


class _Replay:
    """Hands calls over, chunk by chunk, and waits until Arthur has them."""

    def __init__(
        self,
        configuration: Configuration,
        journals: Sequence[Journal],
        patience: float,
        verdicts: Sequence[Verdict],
    ) -> None:
        self._configuration = configuration
        self._journals = journals
        self._patience = patience
        self._console = new_console(err=True)
        # Duplicates were left out before, over all files at once.
        self._delivery = Delivery(replace(configuration, duplicate_window=0.0), metrics=False)
        self._around = around_calls(verdicts if self._delivery.wants_around else ())
        self._gave_up = False

    def run(self, work: Sequence[Item], ends: Sequence[int]) -> None:
        """Send, say what became of it, and end the process with the exit code that tells the same."""
        logger = logging.getLogger("otel_arthur")
        handler = _LogLines(self._console)
        logger.addHandler(handler)
        interrupted = False
        try:
            with self._progress() as progress:
                self._send_all(work, ends, progress)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            # What is not with Arthur yet is in the spool; one more request may end in the meantime.
            self._delivery.shutdown(2.0 if interrupted or self._gave_up else self._configuration.timeout)
            logger.removeHandler(handler)
        self._conclude(len(work), interrupted)

    def _progress(self) -> Progress:
        return Progress(
            TextColumn("replaying"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("calls"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )

    def _send_all(self, work: Sequence[Item], ends: Sequence[int], progress: Progress) -> None:
        task = progress.add_task("", total=len(work))
        for start in range(0, len(work), CHUNK):
            chunk = work[start : start + CHUNK]
            if not self._send([item.told for item in chunk]):
                self._gave_up = True
                return
            self._delivery.submit(around_these(self._around, [item.call for item in chunk]))
            for item in {item.file: item for item in chunk}.values():
                self._journals[item.file].advance(item.position)
            progress.advance(task, len(chunk))
        if self._around and not self._send([]):
            self._gave_up = True
            return
        for file, end in enumerate(ends):
            self._journals[file].advance(end - (ends[file - 1] if file else 0))

    def _send(self, calls: Sequence[Told]) -> bool:
        """Whether all of `calls` were dealt with before patience ran out."""
        deadline = time.monotonic() + self._patience
        before = self._delivery.counts()
        pending = True
        while time.monotonic() < deadline:
            if pending:
                # Repeating is harmless: what the spool has taken it knows by its key.
                pending = self._delivery.submit(calls).refused > 0
            if self._delivery.flush(1.0, calls_only=True) and not pending:
                return True
            now = self._delivery.counts()
            if (now.sent, now.dead_letter) != (before.sent, before.dead_letter):
                before, deadline = now, time.monotonic() + self._patience
        return False

    def _conclude(self, total: int, interrupted: bool) -> None:
        counts = self._delivery.counts()
        # Ground truth that somebody else recorded may wait for long; it is no part of this.
        left, row = self._delivery.calls_left(), _row_of(self._configuration)
        known = [f"{counts.known} known to the spool already"] if counts.known else []
        told = [f"{plural(counts.sent, row)} accepted", *known]
        told += [f"{number} skipped: {reason}" for reason, number in counts.skipped.items()]
        told += [f"{counts.dead_letter} refused"] if counts.dead_letter else []
        told += [f"{left} waiting"] if left else []
        say(f"{plural(total, 'call')} replayed: {', '.join(told)}." if total else "Nothing was left to send.")
        where = self._configuration.spool_dir
        on = "Run the same command again to go on" + (f"; the rest waits in {where}." if where else ".")
        if interrupted:
            say(f"Interrupted. {on}", err=True)
            raise SystemExit(_INTERRUPTED)
        if self._gave_up:
            raise WorkFailed(f"no progress for {self._patience:g} seconds. {on}")
        if counts.dead_letter:
            raise WorkFailed(
                f"Arthur refused {plural(counts.dead_letter, row)}; "
                "`otel-arthur spool dead-letters` lists them with the reasons"
            )
        if left:
            raise WorkFailed(f"{plural(left, row)} not with Arthur yet. {on}")


def _say_found(verdicts: Sequence[Verdict], export: Export) -> None:
    counts = Counter(verdict.decision for verdict in verdicts)
    told = ", ".join(f"{number} {decision}" for decision, number in sorted(counts.items())) or "none"
    say(f"{plural(len(verdicts), 'span')}: {told}.")
    if export.unjoined:
        say(f"{plural(export.unjoined, 'log event')} with content found no span in these files.", err=True)


def _row_of(configuration: Configuration) -> str:
    """What one call becomes."""
    if configuration.engine is None:
        return "inference"
    return "record" if configuration.is_v3_target else "span"


def _say_retention(work: Sequence[Item]) -> None:
    kept_from = time.time_ns() - RETENTION_DAYS * 86_400 * 1_000_000_000
    old = sum(item.call.end_ns < kept_from for item in work)
    if old:
        say(
            f"{plural(old, 'call')} ended more than {RETENTION_DAYS} days ago: "
            "an Arthur Engine deletes such spans within a day.",
            err=True,
        )


def _say_would(configuration: Configuration, work: Sequence[Item]) -> None:
    if (engine := configuration.engine) is not None:
        say(f"{plural(len(work), 'call')} would go to the Arthur Engine at {engine.endpoint}.")
        if not configuration.is_v3_target:
            return
    models = Counter(model_of(item.call, configuration) or "(no model configured)" for item in work)
    for model_id, number in sorted(models.items()):
        say(f"{plural(number, 'call')} would go to model {model_id}.")
    say(f"{plural(len(work), 'call')} would be sent. Nothing was.")
