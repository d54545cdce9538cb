"""Products that come with instrumentations of their own, switched on for the scenarios of OpenAI's client.

As ``instrumentors_of_backends.py``. Their own exporters are left out; the spans go where the recorder looks.
"""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.trace import TracerProvider


class OpenLIT:
    """``openlit.init()``, which takes the application's tracer provider where there is one."""

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments

    def instrument(self, *, tracer_provider: TracerProvider, logger_provider: Any) -> None:
        import openlit
        from opentelemetry import _logs

        _logs.set_logger_provider(logger_provider)
        openlit.init(
            disable_metrics=True,
            disable_batch=True,
            # Its prices would be asked from the network.
            pricing_json="/dev/null",
            disabled_instrumentors=["httpx"],
            **self.arguments,
        )


class OldOpenLIT(OpenLIT):
    """Before it found the provider by itself: the tracer is given."""

    def instrument(self, *, tracer_provider: TracerProvider, logger_provider: Any) -> None:
        self.arguments = {"tracer": tracer_provider.get_tracer("openlit.otel.tracing"), **self.arguments}
        super().instrument(tracer_provider=tracer_provider, logger_provider=logger_provider)


class LangWatch:
    """``trace.autotrack_openai_calls(client)`` in a trace that stays open, for each client that is made."""

    def instrument(self, *, tracer_provider: TracerProvider, logger_provider: Any) -> None:
        import langwatch
        import openai

        langwatch.setup(api_key="test", endpoint_url="http://127.0.0.1:9", tracer_provider=tracer_provider)
        trace = langwatch.trace(name="captures")
        trace.__enter__()
        for kind in (openai.OpenAI, openai.AsyncOpenAI):
            make = kind.__init__

            def make_observed(client: Any, *args: Any, make: Any = make, **kwargs: Any) -> None:
                make(client, *args, **kwargs)
                trace.autotrack_openai_calls(client)

            kind.__init__ = make_observed  # type: ignore[method-assign]
