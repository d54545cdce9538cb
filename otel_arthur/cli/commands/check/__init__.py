"""``otel-arthur check`` and what it looks at."""

from otel_arthur.cli.commands.check.check import command as command
