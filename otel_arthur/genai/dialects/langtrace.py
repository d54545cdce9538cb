"""Langtrace: events of the older conventions, an operation named after the client's method.

Reference: https://docs.langtrace.ai. Detects: ``langtrace.sdk.name``.
"""

from __future__ import annotations

from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import converted, joined

DIALECT = Dialect(
    name="langtrace",
    reference="https://github.com/Scale3-Labs/langtrace-python-sdk",
    markers=("langtrace.sdk.name",),
    scopes=("langtrace_python_sdk", "@langtrase/"),
    # Only the SDK for Python names the provider apart.
    fields=joined(semconv.FIELDS, {"provider": (converted("langtrace.service.name", str.lower),)}),
    system=("instructions",),
    content_switch="TRACE_PROMPT_COMPLETION_DATA=true",
)
