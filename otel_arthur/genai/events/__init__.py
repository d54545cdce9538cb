"""Content that comes beside a span, in log records, and the wait for the other half."""
