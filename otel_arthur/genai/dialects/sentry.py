"""Sentry's SDKs on OpenTelemetry: the conventions, with words under names of their own.

Reference: https://docs.sentry.io/product/insights/ai. Detects: its scope. The words stand where
`words` looks for anybody's: ``gen_ai.request.messages``, ``gen_ai.response.text`` and ``.tool_calls``.
"""

from __future__ import annotations

from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.tables.dialect import Dialect

DIALECT = Dialect(
    name="sentry",
    reference="https://develop.sentry.dev/sdk/telemetry/traces/modules/ai-agents/",
    scopes=("@sentry/", "sentry."),
    fields=semconv.FIELDS,
    content_switch="sendDefaultPii: true, or recordInputs: true and recordOutputs: true of the integration",
)
