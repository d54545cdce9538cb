"""Netra: OpenLLMetry's numbered attributes, with tools called as JSON in the content.

The finish reason of an answer stands under the next number, which is another answer only if it has words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from otel_arthur.genai.attributes import SpanAttributes, as_map
from otel_arthur.genai.call import Choice
from otel_arthur.genai.dialects import openllmetry, openllmetry_legacy
from otel_arthur.genai.messages.indexed import items
from otel_arthur.genai.messages.message import output_choices
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.sources import Source, numbered_messages

_COMPLETION = "gen_ai.completion."


def _called(item: Any) -> Any:
    """A message of the assistant that has an id beside its content called a tool."""
    message = as_map(item)
    call = as_map(message.get("content") if message.get("role") == "assistant" else None)
    if "tool_call_id" not in message or "name" not in call:
        return item
    return {"role": "assistant", "tool_calls": [{"id": message["tool_call_id"], **call}]}


def _answers(attributes: SpanAttributes) -> Sequence[Choice]:
    numbered = [as_map(item) for item in items(attributes.attributes, _COMPLETION)]
    attributes.sources["choices"] = f"{_COMPLETION}N"
    return output_choices(
        [
            {**as_map(_called(said)), "finish_reason": after.get("finish_reason")}
            for said, after in zip(numbered, [*numbered[1:], {}], strict=False)
            if "role" in said
        ]
    )


DIALECT = Dialect(
    name="netra",
    reference="https://docs.getnetra.ai/sdk-reference/traces/python",
    scopes=("netra.instrumentation.",),
    operation=openllmetry_legacy.DIALECT.operation,
    fields=openllmetry.FIELDS,
    question=(numbered_messages("gen_ai.prompt.", _called),),
    answer=(Source(_answers, prefix=_COMPLETION),),
    content_switch="NETRA_TRACE_CONTENT=true",
)
