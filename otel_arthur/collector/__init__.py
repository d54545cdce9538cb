"""The collector: OTLP in, inferences to Arthur, the same OTLP out.

    receivers/ ─► pipeline.py ─┬─► intake/ ─► delivery
                               └─► forwarding/ ─► the next hop

`otlp/` has requests and replies, `configuration/` the operator's file, `service/` the process.
"""
