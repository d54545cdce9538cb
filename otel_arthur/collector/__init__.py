"""The collector: OTLP in, inferences to Arthur, the same OTLP out.

    receivers/ ─► pipeline.py ─┬─► intake/ ─► delivery
                               └─► forwarding/ ─► the next hop

`otlp/` is what requests and replies are, `configuration/` what an operator writes, `service/` the whole.
"""
