"""The Engine's face of local Arthur: OTLP traces in, tasks, reads and annotations.

It does what a real engine does, measured, the unkind things too: a span that comes twice is stored twice, one
bad value loses the whole request, and only OpenInference is understood.
"""
