"""What OpenTelemetry loads into an application: exporters, and the bridge that they share."""
