"""``otel-arthur demo``: the main job end to end on one machine, with a real model and local Arthur."""
