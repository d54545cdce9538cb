"""OTLP as the Engine takes it: one request for each span."""
