"""What an application's own code calls; `otel_arthur` has each name."""
