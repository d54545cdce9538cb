"""What the doctor says of the spool: whether its disk takes calls, and what waits that nobody here sends."""

from __future__ import annotations

import os

from otel_arthur.arthur.target.routes import identity_of
from otel_arthur.cli.commands.check.report import Report
from otel_arthur.cli.spool_folder import has_database, opened
from otel_arthur.cli.terminal.errors import WorkFailed, WrongUse
from otel_arthur.cli.terminal.output import plural
from otel_arthur.configuration import Configuration
from otel_arthur.spool.commands import still_holder
from otel_arthur.spool.upkeep.status import DestinationStatus, Status

_ANOTHER = "set OTEL_EXPORTER_ARTHUR_SPOOL_DIR to another"


def examine_spool(report: Report, configuration: Configuration, organization: str | None) -> None:
    """Where the spool is, and what waits in it; nothing is created, for that would be as this user.

    Args:
        organization: the one that the configured key belongs to; None where nobody knows.
    """
    folder = configuration.spool_dir
    if folder is None:
        report.doubt("spool", "off: what is not sent when the process ends is lost")
        return
    try:
        if not has_database(folder):
            nearest = next(path for path in (folder, *folder.parents) if path.exists())
            if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
                raise WrongUse(
                    f"the spool cannot be made in {folder}: {nearest} is no folder that this user may write "
                    f"to; {_ANOTHER}"
                )
            report.well("spool", f"{folder} (new)")
            return
        with opened(configuration, grows=True) as spool:
            status = spool.status()
            holder = still_holder(spool)
    except WorkFailed as error:
        # Calls go on, in memory: the end of the process may lose them.
        report.fault("spool", error.format_message(), f"mend it, or {_ANOTHER}")
        return
    if status.dead_letters:
        letters = plural(status.dead_letters, "dead letter")
        report.doubt("spool", f"{folder} has {letters}", "otel-arthur spool dead-letters list")
    unserved = _unserved(status, configuration, organization)
    for one in unserved:
        _say_unserved(report, one, configuration)
    ours = status.waiting - sum(one.waiting for one in unserved)
    waiting = f"{folder}, {ours} waiting there"
    if holder:
        report.doubt("spool", f"{waiting}; {holder}", "otel-arthur spool status")
    elif ours:
        report.well("spool", waiting, "otel-arthur spool status")
    elif not unserved and not status.dead_letters:
        report.well("spool", f"{folder}, nothing waits there")


def _unserved(
    status: Status, configuration: Configuration, organization: str | None
) -> list[DestinationStatus]:
    """Destinations with rows that a process of this configuration does not send by itself."""
    identity, engine = identity_of(configuration), configuration.engine
    organizations = {one.organization for one in status.destinations if one.destination.identity == identity}
    # A key that was renewed sends what its organization has on the disk.
    ours = (organizations | {configuration.organization_id, organization}) - {None}

    def is_served(one: DestinationStatus) -> bool:
        place = one.destination
        if place.target:
            return engine is not None and place.endpoint == engine.endpoint
        return (
            place.endpoint == configuration.endpoint
            and place.model in configuration.models
            and (place.identity in (identity, "") or one.organization in ours)
        )

    return [one for one in status.destinations if one.waiting and not is_served(one)]


def _say_unserved(report: Report, one: DestinationStatus, configuration: Configuration) -> None:
    """A line as ``spool drain`` has it, and the command that sends these rows after all."""
    place = one.destination
    endpoint = place.endpoint or "no endpoint that can be used"
    what = f"{plural(one.waiting, 'record')} for"
    if place.target:
        text = f"{what} {place.target} at {endpoint}, which is no target here"
        report.doubt("spool", text, "otel-arthur spool status")
        return
    is_taken_over = (
        place.endpoint in ("", configuration.endpoint)
        and place.model in ("", *configuration.models)
        and one.organization is None
    )
    text = f"{what} {f'model {place.model}' if place.model else 'no model'} at {endpoint}"
    if place.endpoint == configuration.endpoint and place.model in configuration.models:
        text += ", under another key or organization"
    adopted = "" if is_taken_over else f" --adopt {place.model or 'none'}"
    report.doubt("spool", f"{text}: nobody here sends them", f"otel-arthur spool drain{adopted}")
