"""``otel-arthur inspect`` and its table."""

from otel_arthur.cli.commands.inspect.inspect import command as command
