"""Setting OpenTelemetry up for an application: in code, or from the SDK's variables."""
