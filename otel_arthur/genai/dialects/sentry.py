"""Sentry's SDKs on OpenTelemetry: the conventions, with words under names of their own.

The words stand where `words` looks for anybody's: ``gen_ai.request.messages``, ``gen_ai.response.text`` and
``.tool_calls``.
"""

from __future__ import annotations

from typing import Any, cast

from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.json_text import parse_json
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import converted
from otel_arthur.genai.tables.sources import answer_texts_at


def _several(value: Any) -> Any:
    """The texts of several answers; of one, its tools may stand beside it."""
    texts = parse_json(value)[0] if isinstance(value, str) and value.startswith("[") else value
    return cast("Any", texts) if isinstance(texts, list) and len(cast("list[Any]", texts)) > 1 else None


def _final(value: Any) -> Any:
    """Each event of a response that was streamed leaves its status."""
    reasons = parse_json(value)[0] if isinstance(value, str) else value
    if not isinstance(reasons, list | tuple):
        return value
    return [reason for reason in cast("list[Any]", reasons) if reason not in ("in_progress", "queued")]


DIALECT = Dialect(
    name="sentry",
    reference="https://develop.sentry.dev/sdk/telemetry/traces/modules/ai-agents/",
    scopes=("@sentry/", "sentry."),
    fields=semconv.FIELDS,
    answer=(answer_texts_at(converted("gen_ai.response.text", _several)),),
    reasons=(converted("gen_ai.response.finish_reasons", _final),),
    content_switch="sendDefaultPii: true, or recordInputs: true and recordOutputs: true of the integration",
)
