"""Requests to either target and what becomes of them: one attempt, one deadline, errors with a meaning."""
