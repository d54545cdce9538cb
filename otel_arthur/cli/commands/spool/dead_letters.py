"""``otel-arthur spool dead-letters``: what Arthur refused for good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from otel_arthur.cli.parameters import JSON
from otel_arthur.cli.spool_folder import FOLDER, opened
from otel_arthur.cli.terminal import new_console
from otel_arthur.cli.terminal.errors import WorkFailed, WrongUse
from otel_arthur.cli.terminal.output import moment, plural, print_json, say

if TYPE_CHECKING:
    from otel_arthur.spool.upkeep.dead_letters import Letter


@click.group(epilog="Example: otel-arthur spool dead-letters list")
def dead_letters() -> None:
    """Rows that Arthur refused for good, with its reasons."""


@dead_letters.command(name="list", epilog="Example: otel-arthur spool dead-letters list --json")
@FOLDER
@JSON
def list_(folder: str | None, as_json: bool) -> None:
    """List the dead letters: id and reason."""
    from otel_arthur.delivery.books.names import name_of
    from otel_arthur.delivery.books.status import letter_json

    with opened(folder) as spool:
        if as_json:
            for letter in spool.letters():
                print_json({name: value for name, value in letter_json(letter).items() if name != "row"})
            return
        rows = [
            (
                str(letter.number),
                letter.id,
                name_of(letter.destination, letter.kind).replace("_", " "),
                letter.destination.model,
                moment(letter.at),
                letter.reason,
            )
            for letter in spool.letters()
        ]
    if rows:
        new_console().table(("no.", "partner_inference_id", "kind", "model", "refused", "reason"), rows)
    else:
        say("no dead letters")


@dead_letters.command(epilog="Example: otel-arthur spool dead-letters export > dead.jsonl")
@FOLDER
def export(folder: str | None) -> None:
    """Print the dead letters as JSON lines, with their rows: prompts and answers included."""
    from otel_arthur.delivery.books.status import letter_json

    with opened(folder) as spool:
        for letter in spool.letters():
            print_json(letter_json(letter))


@dead_letters.command(epilog="Example: otel-arthur spool dead-letters resend --all")
@FOLDER
@JSON
@click.argument("ids", nargs=-1, metavar="[PARTNER_INFERENCE_ID]...")
@click.option("--all", "everything", is_flag=True, help="All dead letters.")
def resend(folder: str | None, as_json: bool, ids: Sequence[str], everything: bool) -> None:
    """Put dead letters back to be sent again, by the running processes or `spool drain`."""
    if bool(ids) == everything:
        raise WrongUse("name the ids of dead letters to send again, or --all")
    with opened(folder) as spool:
        chosen: list[Letter] = [letter for letter in spool.letters() if everything or letter.id in ids]
        unknown = sorted(set(ids) - {letter.id for letter in chosen})
        if unknown:
            raise WorkFailed(f"no dead letter has the id {unknown[0]}; `spool dead-letters list` shows them")
        count = spool.resend(chosen)
        if as_json:
            print_json({"waiting": count})
        else:
            say(f"{plural(count, 'dead letter')} {'waits' if count == 1 else 'wait'} to be sent again")
