"""Which LLM spans describe one call, and what becomes of each span."""
