"""``otel-arthur spool drain``: what waits, sent now."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from otel_arthur.cli.configured import SENDING, configured
from otel_arthur.cli.parameters import JSON, given, seconds
from otel_arthur.cli.sending import end, watched
from otel_arthur.cli.spool_folder import FOLDER, opened
from otel_arthur.cli.terminal.errors import WorkFailed, WrongUse
from otel_arthur.cli.terminal.output import plural, print_json, say
from otel_arthur.configuration import Configuration

if TYPE_CHECKING:
    from otel_arthur.spool.destination import Destination
    from otel_arthur.spool.upkeep.status import DestinationStatus


@click.command(epilog="Example: otel-arthur spool drain --timeout 300")
@FOLDER
@JSON
@seconds("--timeout", 60.0, "Seconds after which to give up.", min=0, min_open=True)
@click.option(
    "--adopt",
    "adopted",
    multiple=True,
    callback=given,
    metavar="MODEL_ID",
    help="Send the rows of this model or task (none: rows without a model), at any endpoint and under any "
    "key, to the configured one instead. Repeatable.",
)
def drain(folder: str | None, as_json: bool, timeout: float, adopted: Sequence[str]) -> None:
    """Send the rows of the configured organization and models, and of the Engine's task, now.

    Rows that were spooled without a model go to the configured models, and so do rows of these models under
    credentials that never worked, and rows of the task under other keys of the Engine. Rows of other models,
    tasks, endpoints or organizations are listed; --adopt sends them to the configured model or task. Rows of
    the v3 platform never go to the Engine, nor the Engine's to the platform.
    Exit 1 if rows could not be sent, wait elsewhere, or lie in a damaged spool.
    """
    configuration = configured(*SENDING, spool_dir=folder)
    if configuration.missing is not None:
        raise WrongUse(configuration.missing)
    from otel_arthur.arthur.target.records import Kind
    from otel_arthur.arthur.target.routes import identity_of
    from otel_arthur.delivery import Delivery
    from otel_arthur.spool.commands import set_aside
    from otel_arthur.spool.destination import Destination

    # Opened first: it says what is wrong with the folder, and that there is one.
    with opened(configuration, writes=True):
        pass
    delivery = Delivery(configuration, metrics=False)
    moved = delivery.adopt_all({"" if model == "none" else model for model in adopted})
    began = time.monotonic()
    with watched(delivery, "Draining"):
        done = delivery.flush(timeout)
    counts = delivery.counts()
    why = delivery.trouble or delivery.unreadable
    is_over = time.monotonic() - began >= timeout
    end(delivery, 1.0)
    with opened(configuration) as spool:
        status = spool.status()
        damaged = set_aside(spool)
    others = [one for one in status.destinations if one.waiting and not delivery.serves(one.destination)]
    # What no route takes waits under our own key, but there is nowhere to send it.
    nowhere = Destination(configuration.endpoint, identity_of(configuration), "")
    unrouted = sum(one.waiting for one in others if one.destination == nowhere)
    summary = {
        "sent": counts.sent,
        "dead_letters": counts.dead_letter,
        "duplicates": counts.duplicate,
        "left": max(counts.left - unrouted, 0),
    }
    if as_json:
        told = [
            {"model": one.destination.model, "endpoint": one.destination.endpoint, "records": one.waiting}
            for one in others
        ]
        print_json({**summary, "adopted": moved, "elsewhere": told})
    else:
        ended = (plural(counts.dead_letter, "dead letter"), plural(counts.duplicate, "duplicate"))
        told = [f"{plural(counts.sent, 'record')} sent", *ended, f"{summary['left']} left"]
        say(", ".join([*told, f"{moved} taken over"] if moved else told))
    for line in damaged:
        say(line, err=True)
    own = [one for one in status.destinations if one not in others]
    waiting = {number for one in own for number, kind in one.kinds.items() if kind.waiting}
    leased = sum(kind.leased for one in own for kind in one.kinds.values())
    if not why and summary["left"] and leased >= summary["left"]:
        why = "other processes are sending them"
    if not why and waiting == {Kind.GROUND_TRUTH} and not any(one.last_error for one in own):
        # Arthur answers well, so there is no last error to be shown.
        why = "ground truth waits until Arthur has its inference"
    within = f" within {timeout:g} s" if is_over else ""
    _conclude_drain(done, summary["left"], within, why, others, configuration)
    if damaged:
        raise WorkFailed("what was in a damaged spool was not sent")


def _conclude_drain(
    done: bool,
    left: int,
    within: str,
    why: str,
    others: Sequence[DestinationStatus],
    configuration: Configuration,
) -> None:
    """The exit code, and a line for all that still waits."""
    for one in others:
        say(_waiting_elsewhere(one, configuration), err=True)
    if left or not done:
        was = "was" if left == 1 else "were"
        what = f"{plural(left, 'record')} {was} not sent" if left else "nobody can tell whether all was sent"
        raise WorkFailed(f"{what}{within}; {why or '`otel-arthur spool status` shows the last error'}")
    if others:
        count = plural(sum(one.waiting for one in others), "record")
        advice = (
            "`otel-arthur spool drain --adopt MODEL_ID` sends what waits for that model or task to the "
            "configured one"
        )
        if not any(_is_configured(one.destination, configuration) for one in others):
            advice = "run the command with the settings that they were recorded with"
        raise WorkFailed(
            f"{count} left for others than the configured key, endpoint and models; {why or advice}"
        )


def _is_configured(destination: Destination, configuration: Configuration) -> bool:
    """Whether its target is one of the configuration's."""
    return configuration.engine is not None if destination.target else configuration.is_v3_target


def _waiting_elsewhere(one: DestinationStatus, configuration: Configuration) -> str:
    endpoint, model = one.destination.endpoint or "no endpoint that can be used", one.destination.model
    if not _is_configured(one.destination, configuration):
        other = f"task {model} of an Engine" if one.destination.target else f"model {model or '(none)'}"
        it = "no Engine" if one.destination.target else "no model of the v3 platform"
        return f"{plural(one.waiting, 'record')} for {other} at {endpoint}, and {it} is configured"
    if one.destination.target:
        return f"{plural(one.waiting, 'record')} for task {model} of the Engine at {endpoint}"
    if not model:
        why = "no model: no route of OTEL_EXPORTER_ARTHUR_MODELS takes them"
        if endpoint != configuration.endpoint or not configuration.routes:
            why = f"no model at {endpoint}"
        return f"{plural(one.waiting, 'record')} for {why}"
    same = endpoint == configuration.endpoint and model in configuration.models
    key = ", under another key or organization" if same else ""
    return f"{plural(one.waiting, 'record')} for model {model} at {endpoint}{key}"
