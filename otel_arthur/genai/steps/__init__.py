"""Spans around calls to language models: agents, tools, searches, and whatever lies between them."""
