"""Microsoft Agent Framework: semantic conventions; temperature and limits are on the agent's span only."""

from __future__ import annotations

from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.tables.dialect import Dialect

DIALECT = Dialect(
    name="agent-framework",
    reference="https://learn.microsoft.com/agent-framework/user-guide/observability",
    scopes=("agent_framework", "Experimental.Microsoft.Agents.AI"),
    fields=semconv.FIELDS,
    content_switch="ENABLE_SENSITIVE_DATA=true",
)
