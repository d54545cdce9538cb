"""``otel-arthur spool``: look at, drain and repair what waits on disk."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
import orjson

from otel_arthur.cli.errors import WorkFailed, WrongUse
from otel_arthur.configuration import Configuration

if TYPE_CHECKING:
    from otel_arthur.delivery.dead_letters import Letter
    from otel_arthur.delivery.spool import Spool
    from otel_arthur.delivery.status import Status

_FOLDER = click.option(
    "--dir", "folder", type=click.Path(file_okay=False), help="The spool's folder, if not the configured one."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="JSON for programs.")


@click.group(epilog="Example: otel-arthur spool status")
def command() -> None:
    """Look at, drain and repair what waits on disk."""


@command.command(epilog="Example: otel-arthur spool status --json")
@_FOLDER
@_JSON
def status(folder: str | None, as_json: bool) -> None:
    """Show what waits, how old it is, the last error, and what became of the rest."""
    from otel_arthur.delivery.status import status_of

    with _opened(folder) as spool:
        found = status_of(spool)
        if as_json:
            _print_json({"folder": str(spool.folder), **asdict(found), "waiting": found.waiting})
        else:
            _show_status(str(spool.folder), found)


@command.command(epilog="Example: otel-arthur spool drain --timeout 300")
@_FOLDER
@_JSON
@click.option("--timeout", default=60.0, show_default=True, help="Seconds after which to give up.")
def drain(folder: str | None, as_json: bool, timeout: float) -> None:
    """Send what waits for the configured organization and models, now.

    Records spooled while no model was configured go where the configuration now says.
    Exit 1 if something of it could not be sent.
    """
    configuration = _configuration(folder)
    if configuration.missing is not None:
        raise WrongUse(configuration.missing)
    with _opened(folder):
        pass  # Says what is wrong with the folder, and that there is one.
    from otel_arthur.cli.progress import watched
    from otel_arthur.delivery import Delivery

    delivery = Delivery(configuration, metrics=False)
    delivery.adopt_all()
    with watched(delivery, "Draining"):
        done = delivery.flush(timeout)
    counts = delivery.counts()
    delivery.shutdown(1.0)
    summary = {
        "sent": counts.sent,
        "dead_letters": counts.dead_letter,
        "duplicates": counts.duplicate,
        "left": counts.left,
    }
    if as_json:
        _print_json(summary)
    else:
        click.echo(", ".join(f"{value} {name.replace('_', ' ')}" for name, value in summary.items()))
    if not done:
        raise WorkFailed(
            f"{counts.left} records were not sent within {timeout:g} s; "
            "`otel-arthur spool status` shows the last error"
        )


@command.group(name="dead-letters", epilog="Example: otel-arthur spool dead-letters list")
def dead_letters() -> None:
    """What Arthur refused for good, with its reason."""


@dead_letters.command(name="list")
@_FOLDER
@_JSON
def list_(folder: str | None, as_json: bool) -> None:
    """List the dead letters: id and reason."""
    from otel_arthur.delivery.dead_letters import letters

    with _opened(folder) as spool:
        if as_json:
            for letter in letters(spool):
                _print_json({name: value for name, value in letter.as_json().items() if name != "row"})
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table("no.", "partner_inference_id", "kind", "model", "refused", "reason")
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
@_FOLDER
def export(folder: str | None) -> None:
    """Print the dead letters as JSON lines, their rows included: prompts and answers are in them."""
    from otel_arthur.delivery.dead_letters import letters

    with _opened(folder) as spool:
        for letter in letters(spool):
            _print_json(letter.as_json())


@dead_letters.command(epilog="Example: otel-arthur spool dead-letters resend --all")
@_FOLDER
@click.argument("ids", nargs=-1, metavar="[PARTNER_INFERENCE_ID]...")
@click.option("--all", "everything", is_flag=True, help="All of them.")
def resend(folder: str | None, ids: Sequence[str], everything: bool) -> None:
    """Put dead letters back to be sent again, by the running processes or `spool drain`."""
    if bool(ids) == everything:
        raise WrongUse("name the ids of dead letters to send again, or --all")
    from otel_arthur.delivery.dead_letters import letters
    from otel_arthur.delivery.dead_letters import resend as put_back

    with _opened(folder) as spool:
        chosen: list[Letter] = [letter for letter in letters(spool) if everything or letter.id in ids]
        unknown = sorted(set(ids) - {letter.id for letter in chosen})
        if unknown:
            raise WorkFailed(f"no dead letter has the id {unknown[0]}; `spool dead-letters list` shows them")
        click.echo(f"{put_back(spool, chosen)} dead letters wait to be sent again")


def _configuration(folder: str | None) -> Configuration:
    return Configuration.from_environment(spool_dir=folder)


@contextmanager
def _opened(folder: str | None) -> Generator[Spool, None, None]:
    """The spool on disk; what is wrong with it becomes one line."""
    from otel_arthur.delivery.disk_format import SpoolError
    from otel_arthur.delivery.spool import DATABASE_NAME, Spool

    configuration = _configuration(folder)
    path = configuration.spool_dir
    if path is None:
        raise WrongUse(
            "OTEL_EXPORTER_ARTHUR_SPOOL_DIR is off: there is no spool on disk; name one with --dir"
        )
    if not (path / DATABASE_NAME).exists():
        raise WorkFailed(
            f"there is no spool in {path}; nothing has been spooled there yet, or name another --dir"
        )
    try:
        spool = Spool(path, configuration.spool_max_bytes)
        try:
            yield spool
        finally:
            spool.close()
    except (SpoolError, OSError, sqlite3.Error) as error:
        raise WorkFailed(f"the spool in {path} cannot be used: {error}") from None


def _show_status(folder: str, found: Status) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    console.print(Text(f"{folder}: {_size(found.bytes)} of {_size(found.max_bytes)}"))
    table = Table("model", "endpoint", "waiting", "held", "oldest", "dead letters", "sent", "duplicates")
    for one in found.destinations:
        counts = one.outcomes["inference"]
        table.add_row(
            one.destination.model or "(none configured)",
            one.destination.endpoint,
            str(one.inferences + one.ground_truth),
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


def _print_json(value: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(value, default=str, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def _size(count: int) -> str:
    return f"{count / 1024**2:.1f} MB"


def _age(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"
