"""Finished spans of the SDK that are no calls, for a target that wants whole traces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from otel_arthur.genai.steps.kinds import may_be_step
from otel_arthur.genai.steps.reading import around
from otel_arthur.genai.steps.step import Frame, Step
from otel_arthur.sdk.inside_the_sdk import frame_of, view_of


def around_of(span: ReadableSpan, attributes: Mapping[str, Any]) -> Step | Frame:
    """A span that cannot be a call. `attributes` as `attributes_of` gave them."""
    scope = span.instrumentation_scope
    if may_be_step(attributes, scope.name if scope else ""):
        return around(view_of(span, attributes))
    return frame_of(span)
