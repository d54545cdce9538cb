"""Koog, JetBrains' framework for Kotlin: semantic conventions, with messages of no parts and withheld words.

Koog writes its marker from 1.0 on. The scope is the name of the application's service and tells nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from otel_arthur.genai.attributes import SpanAttributes
from otel_arthur.genai.call import Message
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.sources import Source, messages_at

_asked = messages_at("gen_ai.input.messages")


def _question(attributes: SpanAttributes) -> Sequence[Message]:
    """Koog ends its lists of tools and of results by a message that says nothing."""
    return [message for message in _asked.read(attributes) if message.parts]


DIALECT = Dialect(
    name="koog",
    reference="https://docs.koog.ai/features/open-telemetry/",
    markers=("koog.event.id",),
    fields=semconv.FIELDS,
    question=(Source(_question, _asked.places),),
    hidden="HIDDEN:non-empty",
    content_switch="setVerbose(true) in install(OpenTelemetry)",
)
