"""`instrument`: the in-code way, for applications that do not run under ``opentelemetry-instrument``."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_arthur.configuration import Configuration
from otel_arthur.process.never_raises import never_raises
from otel_arthur.process.sigterm import flush_on_sigterm
from otel_arthur.sdk.setup.instrumentations import GROUP, chosen
from otel_arthur.sdk.setup.variables import set_defaults
from otel_arthur.sdk.span_exporter import ArthurSpanExporter

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from otel_arthur.configuration.arguments import Settings

_logger = logging.getLogger("otel_arthur")
_lock = threading.Lock()
_exporters: WeakKeyDictionary[TracerProvider, ArthurSpanExporter] = WeakKeyDictionary()
"""What `instrument` added to each provider."""


def instrument(
    *,
    instrumentations: Sequence[str] | str | None = None,
    arthur_model: Any = None,
    arthur_url: str | None = None,
    arthur_login: str | None = None,
    arthur_password: str | None = None,
    **settings: Unpack[Settings],
) -> TracerProvider:
    """Record the application's LLM calls in Arthur, in one line.

    Adds an `ArthurSpanExporter` to the tracer provider in force (making one if there is none)
    and switches instrumentations on. Called again, as in a notebook's cell, it gives that exporter
    the new settings. The instrumentations of OpenTelemetry hand their messages to Arthur alone, unless a
    variable says otherwise. Where it makes the provider, SIGTERM exports what ended before the process dies.

    Args:
        instrumentations: names in the entry-point group ``opentelemetry_instrumentor``, or one name; the
            default is one for each LLM library that is installed (`sdk.setup.instrumentations`). Those that
            are not installed, or fail, are said in the log.
        arthur_model: as of `ArthurSpanExporter`.
        arthur_url: the setting ``endpoint``, under its name in ``ArthurCallbackHandler.from_credentials``.
        arthur_login: the setting ``login``, likewise.
        arthur_password: the setting ``password``, likewise.
        **settings: as of `ArthurSpanExporter`.

    Returns:
        The tracer provider; its ``shutdown`` runs by itself when the process ends.
    """
    if arthur_url is not None:
        settings.setdefault("endpoint", arthur_url)
    if arthur_login is not None:
        settings.setdefault("login", arthur_login)
    if arthur_password is not None:
        settings.setdefault("password", arthur_password)
    provider = trace.get_tracer_provider()
    is_ours = not isinstance(provider, TracerProvider)
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    with _lock:
        exporter = _exporters.get(provider)
        if exporter is None or not exporter.configure(arthur_model=arthur_model, **settings):
            exporter = _exporters[provider] = ArthurSpanExporter(arthur_model=arthur_model, **settings)
            provider.add_span_processor(BatchSpanProcessor(exporter))
    wanted = Configuration.from_environment(**settings).flush_on_sigterm
    if is_ours if wanted is None else wanted:
        flush_on_sigterm()
    set_defaults({})
    for entry in chosen() if instrumentations is None else _named(instrumentations):
        with never_raises(f"the instrumentation {entry.name} cannot be switched on"):
            instrumentor = entry.load()()
            if not instrumentor.is_instrumented_by_opentelemetry:
                instrumentor.instrument(tracer_provider=provider)
    return provider


def _named(given: object) -> Iterator[EntryPoint]:
    for name in _texts(given):
        found = entry_points(group=GROUP, name=name)
        if not found:
            _logger.warning(
                "otel-arthur: no instrumentation called %s is installed; %s",
                name,
                "pip install 'otel-arthur[langchain]'" if name == "langchain" else "install its package",
            )
        yield from found


def _texts(given: object) -> list[str]:
    """The texts in what was given; of anything else the type is said."""
    items: list[Any] = list(given) if isinstance(given, list | tuple | set | frozenset) else [given]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    for item in items:
        if not isinstance(item, str):
            _logger.warning(
                "otel-arthur: argument instrumentations holds a value of type %s, which is ignored; "
                'give names, as in ("langchain",)',
                type(item).__name__,
            )
    return [item for item in items if isinstance(item, str) and item]
