"""From `LLMCall` to Arthur's inference: the field catalogue, the model's schema, and the fit between them.

Pure: no I/O. Knows Arthur's vocabulary, not its API.
"""
