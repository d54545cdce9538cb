"""OTLP as bytes, JSON and files, to span views."""
