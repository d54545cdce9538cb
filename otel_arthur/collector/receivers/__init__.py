"""OTLP servers: one file for each transport, and the checks of both before they read a body."""
