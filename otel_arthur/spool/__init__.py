"""All SQL and all files on disk: rows that a target has not yet accepted."""
