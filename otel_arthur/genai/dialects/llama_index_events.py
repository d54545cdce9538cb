"""LlamaIndex's own OpenTelemetry: spans without attributes, everything in their events.

The span of a stream ends before its answer, which is nowhere.
"""

from __future__ import annotations

from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import joined
from otel_arthur.genai.tables.provider_fields import COUNTS, below
from otel_arthur.genai.tables.sources import answer_at, messages_at, question_at

_CHAT, _COMPLETION = "LLMChat", "LLMCompletion"
_ENDS = (f"@{_CHAT}EndEvent/response.", f"@{_COMPLETION}EndEvent/response.")
_STARTS = (f"@{_CHAT}StartEvent/", f"@{_COMPLETION}StartEvent/")
_EVENTS = tuple(f"{kind}{side}Event" for kind in (_CHAT, _COMPLETION) for side in ("Start", "End"))


def _operation(view: SpanView) -> str | None:
    names = {event.name for event in view.events}
    if names.isdisjoint(_EVENTS):
        return None
    return "text_completion" if any(name.startswith(_COMPLETION) for name in names) else "chat"


DIALECT = Dialect(
    name="llama-index-events",
    reference="https://pypi.org/project/llama-index-observability-otel/",
    scopes=("llamaindex.opentelemetry",),
    is_bare=True,
    hints=("llamaindex.run_id",),
    events=_EVENTS,
    operation=_operation,
    fields=joined(
        {
            "request_model": tuple(f"{start}model_dict.model_name" for start in _STARTS),
            "response_id": tuple(f"{end}raw.id" for end in _ENDS),
            "response_model": tuple(f"{end}raw.model" for end in _ENDS),
            "temperature": tuple(f"{start}model_dict.temperature" for start in _STARTS),
            "max_tokens": tuple(f"{start}model_dict.max_tokens" for start in _STARTS),
        },
        *(below(f"{end}{holder}", COUNTS) for end in _ENDS for holder in ("raw.usage", "additional_kwargs")),
    ),
    question=(
        messages_at(f"@{_CHAT}EndEvent/messages", f"@{_CHAT}StartEvent/messages"),
        question_at(f"@{_COMPLETION}EndEvent/prompt", f"@{_COMPLETION}StartEvent/prompt"),
    ),
    answer=(
        answer_at(f"{_ENDS[0]}message.blocks", f"{_ENDS[0]}message.content", f"{_ENDS[1]}text"),
        answer_at(f"{_ENDS[0]}raw.choices"),
    ),
    reasons=tuple(f"{end}raw.choices#0.finish_reason" for end in _ENDS),
    content_note="LlamaIndex ends the span of a stream before the answer",
)
