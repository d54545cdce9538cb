"""``otel-arthur replay``: send the calls in trace exports; backfill, resumable, idempotent."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial

import click

from otel_arthur.arthur.target.routes import model_of
from otel_arthur.cli.commands.replay.around import Chunk, Traces, calls_alone
from otel_arthur.cli.commands.replay.journal import Journal
from otel_arthur.cli.commands.replay.summary import INTERRUPTED, Found, conclude
from otel_arthur.cli.commands.replay.work import Work, journal_folder, journals_of
from otel_arthur.cli.configured import READING, SENDING, configured
from otel_arthur.cli.connection import fetch_schema
from otel_arthur.cli.files.trace_files import FILES, FORMATS, TraceFiles
from otel_arthur.cli.files.verdicts import Verdicts
from otel_arthur.cli.parameters import JSON, seconds
from otel_arthur.cli.terminal import new_console
from otel_arthur.cli.terminal.errors import WrongUse
from otel_arthur.cli.terminal.output import say
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from otel_arthur.genai.steps.step import Meaning

CHUNK = 512
"""Calls handed over at once, as one request. The next wait until Arthur has these: a backfill never fills the
spool."""
_CHUNK_BYTES = 4 * 1024 * 1024
"""Of such calls, about: each is in memory as a span, as a call and as a row."""
_CHUNK_OF_TRACES = 256


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

    def __init__(self, put: Callable[[str], object]) -> None:
        super().__init__()
        self._put = put

    def emit(self, record: logging.LogRecord) -> None:
        self._put(self.format(record))


@click.command(
    help=f"{FORMATS}\n\n"
    "A call keeps the id that the exporter would have given it, so no call is doubled. After an "
    "interruption, the same command goes on where it stopped. Exit 0 when Arthur accepted all, 1 when calls "
    "were refused or are left.",
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
@click.option("--limit", type=click.IntRange(min=1), help="Send so many calls at most.")
@click.option("--dry-run", is_flag=True, help="Show the calls that would be sent; nothing is sent.")
@click.option("--restart", is_flag=True, help="Begin anew even if these files were replayed before.")
@seconds("--patience", 60.0, "Seconds without progress after which to give up.", min=1)
@click.option("--summary", is_flag=True, help="Show the counts alone, and no progress.")
@JSON
def command(
    files: Sequence[str],
    since: int | None,
    until: int | None,
    limit: int | None,
    dry_run: bool,
    restart: bool,
    patience: float,
    summary: bool,
    as_json: bool,
) -> None:
    if since is not None and until is not None and since >= until:
        raise WrongUse("--since must be before --until")
    configuration = configured(*SENDING, *READING, "sample_ratio")
    if configuration.missing is not None and not dry_run:
        raise WrongUse(configuration.missing)
    folder = None if configuration.spool_dir is None else journal_folder(configuration.spool_dir, dry_run)
    traces = TraceFiles(files)
    sending = _Sending(configuration, patience)
    found = Found(configuration)
    with sending.progress(traces, is_shown=not summary):
        digests = [traces.digest(name) for name in traces.names]
        sending.journals = journals = journals_of(configuration, folder, digests, f"{since} {until}")
        done = [0 if restart else journal.spans_done() for journal in journals]
        verdicts = Verdicts(traces, configuration, metadata_only=configuration.content == "metadata")
        is_whole = configuration.engine is not None and configuration.engine.spans == "traces"
        work = Work(done, (since, until), limit, wants_wordless=is_whole)
        whole = Traces(verdicts, work, _CHUNK_OF_TRACES)
        alone = calls_alone(verdicts, work, CHUNK, _CHUNK_BYTES)
        chunks = map(found.counted, whole if is_whole else alone)
        if dry_run:
            for _ in chunks:
                pass
        else:
            sending.run(chunks, is_whole=is_whole)
            if not sending.broken_off and not work.is_full:
                sending.advance(verdicts.ends)
    verdicts.say_end()
    whole.say_end()
    found.say(verdicts, as_json=as_json, dry_run=dry_run)
    if not dry_run:
        conclude(sending.delivery, found, verdicts, sending.broken_off, as_json=as_json)


class _Sending:
    """Hands calls over, chunk by chunk, and waits until Arthur has them."""

    def __init__(self, configuration: Configuration, patience: float) -> None:
        self._configuration = configuration
        self.journals: Sequence[Journal] = ()
        self._patience = patience
        self._put: Callable[[str], object] = partial(say, err=True)
        self._show: Callable[[int], object] = lambda _calls: None
        self._known = {""}
        self.broken_off = ""
        """Why not all calls were dealt with; empty where they were."""

    def run(self, chunks: Iterable[Chunk], *, is_whole: bool) -> None:
        """Send; `is_whole` where spans around calls go too."""
        # Duplicates were left out before.
        self.delivery = Delivery(replace(self._configuration, duplicate_window=0.0), metrics=False)
        logger = logging.getLogger("otel_arthur")
        handler = _LogLines(self._put)
        logger.addHandler(handler)
        try:
            if not self._send_all(chunks, is_whole=is_whole):
                self.broken_off = f"no progress for {self._patience:g} seconds"
        except KeyboardInterrupt:
            self.broken_off = INTERRUPTED
        finally:
            # What is not with Arthur yet is in the spool; one more request may end in the meantime.
            self.delivery.shutdown(2.0 if self.broken_off else self._configuration.timeout)
            logger.removeHandler(handler)

    def advance(self, positions: Mapping[int, int]) -> None:
        """Remember how many spans of each file are dealt with."""
        for file, position in positions.items():
            self.journals[file].advance(position)

    @contextmanager
    def progress(self, traces: TraceFiles, *, is_shown: bool) -> Generator[None]:
        """Show on stderr how much of the files is dealt with, if that is a terminal and `is_shown`."""
        if not (is_shown and sys.stderr.isatty()):
            yield
            return
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        console = new_console(err=True)
        self._put = console.print
        bar = Progress(
            TextColumn("replaying"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[calls]} calls"),
            TimeRemainingColumn(),
            console=console,
        )
        with bar:
            task = bar.add_task("", total=traces.size(), calls=0)
            traces.told = lambda count: bar.advance(task, count)
            self._show = lambda calls: bar.update(task, calls=calls)
            yield

    def _send_all(self, chunks: Iterable[Chunk], *, is_whole: bool) -> bool:
        """Whether all were dealt with before patience ran out."""
        sent = 0
        for chunk in chunks:
            models = {model_of(item.call, self._configuration) for item in chunk.calls}
            for model_id in sorted(models - self._known):
                # A wrong key or model is said before all retries.
                fetch_schema(self._configuration, model_id)
                self._known.add(model_id)
            if not self._send([item.meaning for item in chunk.calls]):
                return False
            self.delivery.submit(chunk.around)
            self.advance(chunk.done)
            sent += len(chunk.calls)
            chunk.calls.clear()  # before more is read
            self._show(sent)
        return not (is_whole and sent) or self._send([])

    def _send(self, calls: Sequence[Meaning]) -> bool:
        """Whether all of `calls` were dealt with before patience ran out."""
        deadline = time.monotonic() + self._patience
        before = self.delivery.counts()
        pending = True
        while time.monotonic() < deadline:
            if pending:
                # Repeating is harmless: what the spool has taken it knows by its key.
                pending = self.delivery.submit(calls).refused > 0
            if self.delivery.flush(1.0, calls_only=True) and not pending:
                return True
            now = self.delivery.counts()
            if (now.sent, now.dead_letter) != (before.sent, before.dead_letter):
                before, deadline = now, time.monotonic() + self._patience
        return False
