"""The dialects, one file each, in the order in which they are asked."""

from __future__ import annotations

from otel_arthur.genai.dialect import Dialect
from otel_arthur.genai.dialects import openllmetry, semconv

DIALECTS: tuple[Dialect, ...] = (
    openllmetry.DIALECT,
    semconv.DIALECT,
)
"""The first that owns a span reads it: the particular before the general."""
