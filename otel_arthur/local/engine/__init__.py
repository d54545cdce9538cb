"""The Engine's face of local Arthur: OTLP traces in, tasks, reads and annotations.

Its behaviour was measured at a real engine, faults included: a span that comes twice is stored twice, one bad
value loses the whole request, and only OpenInference is understood.
"""
