"""``otel-arthur ground-truth`` and its rows."""

from otel_arthur.cli.commands.ground_truth.ground_truth import command as command
