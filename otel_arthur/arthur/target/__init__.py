"""Arthur's v3 API as a target: rows from calls, requests from rows, outcomes from answers."""
