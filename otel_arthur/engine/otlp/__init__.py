"""OTLP as the Engine takes it: one request a span."""
