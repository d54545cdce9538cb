"""Reading GenAI spans: from any instrumentation's attributes to one normal form.

`read` is the whole room in one call: a `SpanView` in, a `Reading` out. Everything here is
pure; nothing knows of Arthur.
"""
