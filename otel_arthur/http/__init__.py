"""Requests to either target: one attempt, one deadline, errors with a meaning."""
