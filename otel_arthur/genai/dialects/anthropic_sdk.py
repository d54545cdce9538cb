"""Anthropic's SDK, which records its own calls: the conventions, with the finish reason under its own name.

Messages are recorded only where the application or a variable says so. Of a stream, only what the SDK itself
puts together is recorded (its ``_tracing.py``).
"""

from __future__ import annotations

from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.tables.dialect import Dialect

DIALECT = Dialect(
    name="anthropic-sdk",
    reference="https://github.com/anthropics/anthropic-sdk-python",
    scopes=("com.anthropic.sdk.",),
    fields=semconv.FIELDS,
    reasons=("anthropic.message.stop_reason",),
    content_switch="ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE=content",
)
