"""The commands of ``otel-arthur``, one file each; each file's `command` is what the command line calls."""
