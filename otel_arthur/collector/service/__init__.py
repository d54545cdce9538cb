"""The collector as a process: servers, reloads, health, metrics, logs."""
