"""The core: the collector without its receivers and its next hop, fed by the processor ``arthur``.

The processor (Go, ``collector/arthurprocessor/``) runs in an OpenTelemetry Collector. It sends the spans and
log records that concern Arthur over a socket, as OTLP/HTTP, and everything else past us.
"""
