"""``otel-arthur replay`` and how far it has come."""

from otel_arthur.cli.commands.replay.replay import command as command
