"""OTLP servers: one file per transport, and what both check before they read a body."""
