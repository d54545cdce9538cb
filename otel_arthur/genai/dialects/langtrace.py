"""Langtrace: events of the older conventions, an operation named after the client's method.

Reference: https://docs.langtrace.ai. Detects: ``langtrace.sdk.name``.
"""

from __future__ import annotations

from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.tables.dialect import Dialect

DIALECT = Dialect(
    name="langtrace",
    reference="https://github.com/Scale3-Labs/langtrace-python-sdk",
    markers=("langtrace.sdk.name",),
    scopes=("langtrace_python_sdk", "@langtrase/"),
    fields=semconv.FIELDS,
    system=("instructions",),
    content_switch="TRACE_PROMPT_COMPLETION_DATA=true",
)
