"""Target Arthur Engine: calls as OpenInference spans, over OTLP."""
