"""Arthur's v3 API: transport, authentication, models, inferences, ground truth. Knows nothing of spans."""
