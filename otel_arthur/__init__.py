"""OpenTelemetry bridge to the Arthur AI monitoring platform."""
