"""``otel-arthur spool discard``: what waits on disk, given up for good."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence

import click

from otel_arthur.cli.parameters import JSON, given
from otel_arthur.cli.spool_folder import FOLDER, opened
from otel_arthur.cli.terminal.errors import WrongUse
from otel_arthur.cli.terminal.output import plural, print_json, say


@click.command(epilog="Example: otel-arthur spool discard --model 7f9c… --dead-letters --yes")
@FOLDER
@JSON
@click.option(
    "--model",
    "models",
    multiple=True,
    callback=given,
    metavar="MODEL_ID",
    help="Rows of this model or task, at any endpoint (none: rows without a model). Repeatable.",
)
@click.option("--all", "everything", is_flag=True, help="Rows of all models.")
@click.option("--dead-letters", "letters", is_flag=True, help="Their dead letters instead.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def discard(
    folder: str | None, as_json: bool, models: Sequence[str], everything: bool, letters: bool, yes: bool
) -> None:
    """Delete waiting rows, or dead letters: neither is ever sent. Rows of a request under way stay."""
    if bool(models) == everything:
        raise WrongUse("name what to discard: --model MODEL_ID, or --all")
    from otel_arthur.delivery.books.names import in_words, name_of

    names = {"" if model == "none" else model for model in models}
    with opened(folder) as spool:
        chosen = [one for one in spool.status().destinations if everything or one.destination.model in names]
        counts: Counter[str] = Counter()
        for one in chosen:
            counts += Counter({name_of(one.destination, kind): of.waiting for kind, of in one.kinds.items()})
        there = sum(one.dead_letters for one in chosen) if letters else counts.total()
        what = plural(there, "dead letter") if letters else in_words(counts)
        if there and not yes:
            if not sys.stdin.isatty():
                raise WrongUse(f"{what} would be deleted for good; --yes says that this is meant")
            click.confirm(f"Delete {what} for good?", abort=True, err=True)
        count = spool.discard([one.destination.number for one in chosen], letters=letters)
    if as_json:
        print_json({"discarded": count})
    else:
        say(f"{what if count == there else f'{count} of {what}'} discarded")
