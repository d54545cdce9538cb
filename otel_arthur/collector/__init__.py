"""The collector: OTLP in, inferences to Arthur, the same OTLP out.

    receivers/ ─► pipeline.py ─┬─► intake.py ─► routing.py ─► delivery
                               └─► forwarding/ ─► the next hop

`configuration.py` reads the operator's YAML, `service.py` runs the whole, `telemetry.py` counts.
"""
