"""``otel-arthur spool status``: what waits on disk, and what became of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otel_arthur.cli.parameters import JSON
from otel_arthur.cli.spool_folder import FOLDER, opened
from otel_arthur.cli.terminal import new_console
from otel_arthur.cli.terminal.output import age, moment, plural, print_json, say, size

if TYPE_CHECKING:
    from otel_arthur.spool.upkeep.status import Status


@click.command(epilog="Example: otel-arthur spool status --json")
@FOLDER
@JSON
def status(folder: str | None, as_json: bool) -> None:
    """Show the waiting rows, their age, the last error, and the outcomes of all others."""
    from otel_arthur.spool.commands import set_aside, still_holder

    with opened(folder) as spool:
        found = spool.status()
        if holder := still_holder(spool):
            say(holder, err=True)
        for line in set_aside(spool):
            say(line, err=True)
        if as_json:
            from otel_arthur.delivery.books.status import as_json as written

            print_json({"folder": str(spool.folder), **written(found)})
        else:
            _show_status(str(spool.folder), found)


_HEADINGS = ("model or task", "endpoint", "waiting", "held", "oldest", "dead letters", "sent", "duplicates")


def _show_status(folder: str, found: Status) -> None:
    from otel_arthur.delivery.books.names import in_words, name_of
    from otel_arthur.delivery.books.status import held, oldest_seconds, unaccounted_for
    from otel_arthur.spool.rows import FIRST_KIND

    say(f"{folder}: {size(found.bytes)} of {size(found.max_bytes)}")
    rows: list[tuple[str, ...]] = []
    for one in found.destinations:
        counts = one.outcomes.get(FIRST_KIND, {})
        oldest = oldest_seconds(one)
        outcomes = {outcome for kind in one.outcomes.values() for outcome in kind}
        if not (one.waiting or one.last_error or outcomes - {"appended", "moved"}):
            continue  # Nothing but what was taken over.
        rows.append(
            (
                one.destination.model or "(none configured)",
                one.destination.endpoint or "(none that can be used)",
                str(one.waiting),
                str(held(one)),
                "" if oldest is None else age(oldest),
                str(one.dead_letters),
                str(counts.get("sent", 0)),
                str(counts.get("duplicate", 0)),
            )
        )
    if rows:
        new_console().table(_HEADINGS, rows)
    for one in found.destinations:
        if one.last_error is not None and one.last_error_at is not None:
            say(f"last error, {moment(one.last_error_at)}, model {one.destination.model}: {one.last_error}")
        for kind, outcomes in sorted(one.outcomes.items()):
            for outcome, count in outcomes.items():
                if outcome.startswith(("dropped", "refused", "skipped")):
                    told = in_words({name_of(one.destination, kind): count})
                    say(f"{one.destination.model}: {told} {outcome}")
        if (count := unaccounted_for(one)) != 0:
            say(f"{one.destination.model}: {plural(count, 'record')} unaccounted for, please report this")
    for reason, count in found.skipped.items():
        say(f"{plural(count, 'span')} skipped: {reason}")
    for reason, count in found.mended.items():
        say(f"{count} mended so that Arthur can take them: {reason}")
