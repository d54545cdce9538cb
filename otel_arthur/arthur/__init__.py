"""Arthur's v3 API: authentication, models, inferences, ground truth. Knows nothing of spans."""
