"""``otel-arthur local``, in front or behind."""

from otel_arthur.cli.commands.local.local import command as command
