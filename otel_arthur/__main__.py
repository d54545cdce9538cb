"""``python -m otel_arthur``: the same as ``otel-arthur``."""

from otel_arthur.cli import main

main()
