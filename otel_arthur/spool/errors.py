"""What a spool fails with, beside the errors of the disk and of SQLite."""

from __future__ import annotations


class SpoolError(Exception):
    """The spool cannot be used; one line that says why."""


class NewerFormat(SpoolError):
    """Written by a newer version: left alone."""
