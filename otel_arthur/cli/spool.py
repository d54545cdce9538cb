"""``otel-arthur spool``: look at, drain and repair what waits on disk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from otel_arthur.cli.errors import WorkFailed, WrongUse
from otel_arthur.cli.numbers import plural
from otel_arthur.cli.spool_drain import drain
from otel_arthur.cli.spool_folder import FOLDER, JSON, opened, print_json

if TYPE_CHECKING:
    from rich.table import Table

    from otel_arthur.delivery.dead_letters import Letter
    from otel_arthur.delivery.status import Status


@click.group(epilog="Example: otel-arthur spool status")
def command() -> None:
    """Look at, drain and repair what waits on disk."""


@command.command(epilog="Example: otel-arthur spool status --json")
@FOLDER
@JSON
def status(folder: str | None, as_json: bool) -> None:
    """Show what waits, how old it is, the last error, and what became of the rest."""
    from otel_arthur.delivery.status import status_of

    with opened(folder) as spool:
        found = status_of(spool)
        if as_json:
            print_json({"folder": str(spool.folder), **asdict(found), "waiting": found.waiting})
        else:
            _show_status(str(spool.folder), found)


command.add_command(drain)


@command.group(name="dead-letters", epilog="Example: otel-arthur spool dead-letters list")
def dead_letters() -> None:
    """What Arthur refused for good, with its reason."""


@dead_letters.command(name="list", epilog="Example: otel-arthur spool dead-letters list --json")
@FOLDER
@JSON
def list_(folder: str | None, as_json: bool) -> None:
    """List the dead letters: id and reason."""
    from otel_arthur.delivery.dead_letters import letters

    with opened(folder) as spool:
        if as_json:
            for letter in letters(spool):
                print_json({name: value for name, value in letter.as_json().items() if name != "row"})
            return
        from rich.console import Console
        from rich.text import Text

        table = _table("no.", "partner_inference_id", "kind", "model", "refused", "reason")
        for letter in letters(spool):
            table.add_row(
                str(letter.number),
                letter.id,
                letter.kind.name.lower().replace("_", " "),
                letter.destination.model,
                _moment(letter.at),
                # Arthur's words are no markup.
                Text(letter.reason),
            )
        if table.row_count:
            Console().print(table)
        else:
            click.echo("no dead letters")


@dead_letters.command(epilog="Example: otel-arthur spool dead-letters export > dead.jsonl")
@FOLDER
def export(folder: str | None) -> None:
    """Print the dead letters as JSON lines, their rows included: prompts and answers are in them."""
    from otel_arthur.delivery.dead_letters import letters

    with opened(folder) as spool:
        for letter in letters(spool):
            print_json(letter.as_json())


@dead_letters.command(epilog="Example: otel-arthur spool dead-letters resend --all")
@FOLDER
@click.argument("ids", nargs=-1, metavar="[PARTNER_INFERENCE_ID]...")
@click.option("--all", "everything", is_flag=True, help="All of them.")
def resend(folder: str | None, ids: Sequence[str], everything: bool) -> None:
    """Put dead letters back to be sent again, by the running processes or `spool drain`."""
    if bool(ids) == everything:
        raise WrongUse("name the ids of dead letters to send again, or --all")
    from otel_arthur.delivery.dead_letters import letters
    from otel_arthur.delivery.dead_letters import resend as put_back

    with opened(folder) as spool:
        chosen: list[Letter] = [letter for letter in letters(spool) if everything or letter.id in ids]
        unknown = sorted(set(ids) - {letter.id for letter in chosen})
        if unknown:
            raise WorkFailed(f"no dead letter has the id {unknown[0]}; `spool dead-letters list` shows them")
        count = put_back(spool, chosen)
        click.echo(f"{plural(count, 'dead letter')} {'waits' if count == 1 else 'wait'} to be sent again")


def _show_status(folder: str, found: Status) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console()
    console.print(Text(f"{folder}: {_size(found.bytes)} of {_size(found.max_bytes)}"))
    table = _table("model", "endpoint", "waiting", "held", "oldest", "dead letters", "sent", "duplicates")
    for one in found.destinations:
        counts = one.outcomes["inference"]
        outcomes = {outcome for kind in one.outcomes.values() for outcome in kind}
        if not (one.waiting or one.last_error or outcomes - {"appended", "moved"}):
            continue  # Nothing but what was taken over.
        table.add_row(
            one.destination.model or "(none configured)",
            one.destination.endpoint,
            str(one.waiting),
            str(one.held),
            "" if one.oldest_seconds is None else _age(one.oldest_seconds),
            str(one.dead_letters),
            str(counts.get("sent", 0)),
            str(counts.get("duplicate", 0)),
        )
    if table.row_count:
        console.print(table)
    for one in found.destinations:
        if one.last_error is not None and one.last_error_at is not None:
            line = (
                f"last error, {_moment(one.last_error_at)}, model {one.destination.model}: {one.last_error}"
            )
            console.print(Text(line))
        for outcome, count in one.outcomes["inference"].items():
            if outcome.startswith(("dropped", "refused", "skipped")):
                console.print(Text(f"{one.destination.model}: {count} {outcome}"))
    for reason, count in found.skipped.items():
        console.print(Text(f"{count} spans skipped: {reason}"))


def _table(*headings: str) -> Table:
    """A table that folds what does not fit: an id that is cut cannot be copied."""
    from rich.table import Table

    table = Table()
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def _size(count: int) -> str:
    return f"{count / 1024**2:.1f} MB"


def _age(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"
