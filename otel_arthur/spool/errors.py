"""What goes wrong with a spool besides SQLite's errors and the operating system's."""


class SpoolError(Exception):
    """The spool cannot be used; one line that says why."""
