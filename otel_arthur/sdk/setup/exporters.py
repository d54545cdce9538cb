"""Set the OpenTelemetry SDK up from its variables, with the exporters that are installed.

The SDK's own configurator gives up, and the application gets no telemetry at all, when one exporter of a
list is not installed. Here such an exporter is one line in the log, and the others work.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import entry_points

from otel_arthur.sdk.setup.variables import CONFIG_FILE, named_exporters

_logger = logging.getLogger("otel_arthur")

_GROUPS = {
    "OTEL_TRACES_EXPORTER": "opentelemetry_traces_exporter",
    "OTEL_METRICS_EXPORTER": "opentelemetry_metrics_exporter",
    "OTEL_LOGS_EXPORTER": "opentelemetry_logs_exporter",
}
_PACKAGES = {
    "otlp_proto_grpc": "opentelemetry-exporter-otlp-proto-grpc",
    "otlp_proto_http": "opentelemetry-exporter-otlp-proto-http",
    "prometheus": "opentelemetry-exporter-prometheus",
    "zipkin": "opentelemetry-exporter-zipkin",
    "zipkin_json": "opentelemetry-exporter-zipkin-json",
    "zipkin_proto": "opentelemetry-exporter-zipkin-proto-http",
}
_PROTOCOLS = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}


def set_up() -> None:
    """Run the SDK's configurator. Source: ``opentelemetry.sdk._configuration`` (1.39 to 1.45)."""
    from opentelemetry.instrumentation.version import __version__

    try:
        from opentelemetry.sdk._configuration import (
            _OTelSDKConfigurator,  # pyright: ignore[reportPrivateUsage]
        )
    except ImportError:
        _set_up_traces()
        return
    # With a declarative file the SDK takes no argument, and says so on stderr where it gets one.
    told = {} if os.environ.get(CONFIG_FILE) else {"auto_instrumentation_version": __version__}
    with _installed_exporters_only():
        _OTelSDKConfigurator().configure(**told)  # pyright: ignore[reportUnknownMemberType]


def _set_up_traces() -> None:
    """By the SDK's public names alone: a provider with the exporters of ``OTEL_TRACES_EXPORTER``."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    _logger.warning(
        "otel-arthur: this opentelemetry-sdk has no module opentelemetry.sdk._configuration that we know; "
        "only the exporters of OTEL_TRACES_EXPORTER are set up"
    )
    provider = TracerProvider()
    variable = "OTEL_TRACES_EXPORTER"
    for name in named_exporters(variable):
        if _is_usable(name, variable):
            (entry, *_) = entry_points(group=_GROUPS[variable], name=name)
            provider.add_span_processor(BatchSpanProcessor(entry.load()()))
    trace.set_tracer_provider(provider)


@contextmanager
def _installed_exporters_only() -> Generator[None]:
    """Name only exporters that can be loaded, as long as the configurator reads the variables.

    The variables get their values back, since child processes inherit them.
    """
    before = {variable: os.environ[variable] for variable in _GROUPS if variable in os.environ}
    for variable in before:
        usable = [name for name in named_exporters(variable) if _is_usable(name, variable)]
        os.environ[variable] = ",".join(usable) or "none"
    try:
        yield
    finally:
        os.environ.update(before)


def _is_usable(name: str, variable: str) -> bool:
    """Whether the exporter is installed and can be imported; where it is not, one line says why."""
    fault = fault_of(name, variable)
    if fault:
        _logger.warning("otel-arthur: the exporter %s of %s is left out: %s", name, variable, fault)
    return not fault


def fault_of(name: str, variable: str) -> str:
    """Why the exporter cannot be loaded and what to do, or an empty text."""
    component = name
    if name == "otlp":
        protocol = _protocol(variable)
        if protocol not in _PROTOCOLS:
            return f"OTEL_EXPORTER_OTLP_PROTOCOL is none of {', '.join(_PROTOCOLS)}"
        component = _PROTOCOLS[protocol]
    entries = entry_points(group=_GROUPS[variable], name=component)
    if not entries:
        return f"it is not installed; {_advice(component, variable)}"
    try:
        next(iter(entries)).load()
    except Exception as error:  # an exporter of somebody else's may raise anything
        return f"it cannot be imported ({type(error).__name__})"
    return ""


def _protocol(variable: str) -> str:
    signal = variable.split("_")[1]
    specific = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL")
    return (specific or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or "grpc").strip()


def _advice(component: str, variable: str) -> str:
    package = _PACKAGES.get(component)
    if package is None:
        return "install the package that brings it"
    http = "otlp_proto_http"
    if component == "otlp_proto_grpc" and entry_points(group=_GROUPS[variable], name=http):
        return f"set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or pip install {package}"
    return f"pip install {package}"
