"""OTLP/JSON, read without protobuf."""
