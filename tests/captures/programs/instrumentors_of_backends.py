"""Instrumentations that come with a backend, switched on for the scenarios of OpenAI's client.

Each class is used as the instrumentors are: made with the mode's arguments, then ``instrument(...)``.
Their own exporters are left out; the spans go where the recorder looks.
"""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.trace import TracerProvider


class Logfire:
    """``logfire.instrument_openai()``."""

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments

    def instrument(self, *, tracer_provider: TracerProvider, logger_provider: Any) -> None:
        import logfire

        logfire.configure(
            send_to_logfire=False,
            console=False,
            scrubbing=False,
            additional_span_processors=[tracer_provider._active_span_processor],
        )
        logfire.instrument_openai(**self.arguments)


class MLflow:
    """``mlflow.openai.autolog()`` over the application's own tracer provider."""

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments

    def instrument(self, *, tracer_provider: TracerProvider, logger_provider: Any) -> None:
        import mlflow

        mlflow.openai.autolog(**self.arguments)


class Langfuse:
    """``langfuse.openai``, whose import wraps OpenAI's client."""

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments

    def instrument(self, *, tracer_provider: TracerProvider, logger_provider: Any) -> None:
        from langfuse import Langfuse as Client

        Client(
            public_key="pk-lf-test",
            secret_key="sk-lf-test",
            base_url="http://127.0.0.1:9",
            tracer_provider=tracer_provider,
            **self.arguments,
        )
        import langfuse.openai  # noqa: F401


class Laminar:
    """``Laminar.initialize``, which has a tracer provider of its own."""

    def instrument(self, *, tracer_provider: TracerProvider, logger_provider: Any) -> None:
        from lmnr import Instruments
        from lmnr import Laminar as Client
        from lmnr.opentelemetry_lib import tracing

        Client.initialize(
            project_api_key="test", base_url="http://127.0.0.1", http_port=9, instruments={Instruments.OPENAI}
        )
        tracing._tracer_provider.add_span_processor(tracer_provider._active_span_processor)


class Monocle:
    """``setup_monocle_telemetry``, likewise."""

    def instrument(self, *, tracer_provider: TracerProvider, logger_provider: Any) -> None:
        from monocle_apptrace.instrumentation.common.instrumentor import setup_monocle_telemetry
        from opentelemetry.sdk.trace import SpanProcessor

        # It takes the application's provider, and adds its own exporter where it is given no processor.
        setup_monocle_telemetry(workflow_name="captures", span_processors=[SpanProcessor()])


class LlamaIndexOpenTelemetry:
    """LlamaIndex's own OpenTelemetry."""

    def instrument(self, *, tracer_provider: TracerProvider, logger_provider: Any) -> None:
        from llama_index.observability.otel import LlamaIndexOpenTelemetry as Observer

        Observer(tracer_provider=tracer_provider).start_registering()
