"""The dialects, one file each, in the order in which they are asked."""

from __future__ import annotations

from otel_arthur.genai.dialect import Dialect
from otel_arthur.genai.dialects import (
    agent_framework,
    google_adk,
    langfuse,
    langsmith,
    litellm,
    logfire,
    mlflow,
    openinference,
    openllmetry,
    openllmetry_legacy,
    pydantic_ai,
    semantic_kernel,
    semconv,
    semconv_events,
    spring_ai,
    strands,
    vercel_ai,
)

DIALECTS: tuple[Dialect, ...] = tuple(
    module.DIALECT
    for module in (
        # Told by a marker of their own.
        openinference,
        langfuse,
        langsmith,
        mlflow,
        vercel_ai,
        # Told by their scope.
        litellm,
        pydantic_ai,
        strands,
        google_adk,
        agent_framework,
        semantic_kernel,
        logfire,
        spring_ai,
        # Told by what they write; the general takes what is left.
        openllmetry_legacy,
        openllmetry,
        semconv_events,
        semconv,
    )
)
"""The first that owns a span reads it."""
