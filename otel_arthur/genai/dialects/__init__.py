"""The dialects, one file each, in the order in which they are asked."""

from __future__ import annotations

from otel_arthur.genai.dialect import Dialect
from otel_arthur.genai.dialects import (
    openinference,
    openllmetry,
    openllmetry_legacy,
    semconv,
    semconv_events,
)

DIALECTS: tuple[Dialect, ...] = (
    openinference.DIALECT,
    openllmetry_legacy.DIALECT,
    openllmetry.DIALECT,
    semconv_events.DIALECT,
    semconv.DIALECT,
)
"""The first that owns a span reads it: the particular before the general, which takes what is left."""
