"""The index: a SQLite database, its format on disk, its files, and who holds the database."""
