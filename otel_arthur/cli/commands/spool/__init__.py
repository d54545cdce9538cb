"""``otel-arthur spool``: what waits on disk."""

from __future__ import annotations

import click

from otel_arthur.cli.commands.spool.dead_letters import dead_letters
from otel_arthur.cli.commands.spool.discard import discard
from otel_arthur.cli.commands.spool.drain import drain
from otel_arthur.cli.commands.spool.status import status


@click.group(epilog="Example: otel-arthur spool status")
def command() -> None:
    pass


for part in (status, drain, discard, dead_letters):
    command.add_command(part)
