"""``otel-arthur spool status``: what waits on disk, and what became of the rest."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from otel_arthur.cli.commands.spool.presentation import age, moment, size
from otel_arthur.cli.output import print_json, say, screen
from otel_arthur.cli.spool_folder import FOLDER, JSON, opened

if TYPE_CHECKING:
    from otel_arthur.spool.status import Status


@click.command(epilog="Example: otel-arthur spool status --json")
@FOLDER
@JSON
def status(folder: str | None, as_json: bool) -> None:
    """Show what waits, how old it is, the last error, and what became of the rest."""
    with opened(folder) as spool:
        found = spool.status()
        if as_json:
            print_json({"folder": str(spool.folder), **asdict(found), "waiting": found.waiting})
        else:
            _show_status(str(spool.folder), found)


_HEADINGS = ("model", "endpoint", "waiting", "held", "oldest", "dead letters", "sent", "duplicates")


def _show_status(folder: str, found: Status) -> None:
    say(f"{folder}: {size(found.bytes)} of {size(found.max_bytes)}")
    rows: list[tuple[str, ...]] = []
    for one in found.destinations:
        counts = one.outcomes["inference"]
        outcomes = {outcome for kind in one.outcomes.values() for outcome in kind}
        if not (one.waiting or one.last_error or outcomes - {"appended", "moved"}):
            continue  # Nothing but what was taken over.
        rows.append(
            (
                one.destination.model or "(none configured)",
                one.destination.endpoint or "(none that can be used)",
                str(one.waiting),
                str(one.held),
                "" if one.oldest_seconds is None else age(one.oldest_seconds),
                str(one.dead_letters),
                str(counts.get("sent", 0)),
                str(counts.get("duplicate", 0)),
            )
        )
    if rows:
        screen().table(_HEADINGS, rows)
    for one in found.destinations:
        if one.last_error is not None and one.last_error_at is not None:
            say(f"last error, {moment(one.last_error_at)}, model {one.destination.model}: {one.last_error}")
        for outcome, count in one.outcomes["inference"].items():
            if outcome.startswith(("dropped", "refused", "skipped")):
                say(f"{one.destination.model}: {count} {outcome}")
    for reason, count in found.skipped.items():
        say(f"{count} spans skipped: {reason}")
