"""Calls and steps in OpenInference's words. Pure."""
