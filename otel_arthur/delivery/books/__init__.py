"""The books: what became of everything, counted, measured, and shown as JSON."""
