"""`step_of`: the `Step` in a span that is no call, by a table of places beside the dialects'."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from otel_arthur.genai.attributes import SpanAttributes, as_map, text
from otel_arthur.genai.call import Message
from otel_arthur.genai.events.assembly import Assembled
from otel_arthur.genai.json_text import json_text
from otel_arthur.genai.messages.indexed import items
from otel_arthur.genai.span import STATUS_ERROR, SpanView
from otel_arthur.genai.stated import CONVERSATION, USER, stated
from otel_arthur.genai.steps.kinds import EMBEDDING, RETRIEVER, TOOL, kind_of
from otel_arthur.genai.steps.step import Frame, Meaning, Step, Wordless, frame_of
from otel_arthur.genai.tables.layout import FIELDS, Layout, fields_of, layout_of
from otel_arthur.genai.tables.words import answer_of, question_of

_AROUND_MASTRA: Final = ("agent_run", "tool_call", "mcp_tool_call", "workflow_run")
_AROUND_HAYSTACK: Final = ("component", "agent", "agent.step", "agent.step.tool")
_WHOLES: Final = (
    ("input.value", "output.value"),
    ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
    ("gen_ai.retrieval.query.text", ""),
    ("traceloop.entity.input", "traceloop.entity.output"),
    ("langfuse.observation.input", "langfuse.observation.output"),
    ("langwatch.input", "langwatch.output"),
    ("lmnr.span.input", "lmnr.span.output"),
    ("mlflow.spanInputs", "mlflow.spanOutputs"),
    ("genkit:input", "genkit:output"),
    ("braintrust.input_json", "braintrust.output_json"),
    ("ai.toolCall.args", "ai.toolCall.result"),
    ("ai.prompt", "ai.response.text"),
    ("ai.value", "ai.response.object"),
    ("tool_arguments", "final_result"),
    ("", "tool_response"),
    ("gcp.vertex.agent.tool_call_args", "gcp.vertex.agent.tool_response"),
    *((f"mastra.{kind}.input", f"mastra.{kind}.output") for kind in _AROUND_MASTRA),
    *((f"haystack.{kind}.input", f"haystack.{kind}.output") for kind in _AROUND_HAYSTACK),
    ("haystack.pipeline.input_data", "haystack.pipeline.output_data"),
    ("gen_ai.prompt", "gen_ai.completion"),
)
"""Where an input and an output stand as a whole, by writer. Where all are empty, the dialect's places of
messages are looked at."""
_INPUT, _OUTPUT = ([one for one in side if one] for side in zip(*_WHOLES, strict=True))
_EMPTY: Final = ("", "{}", "[]", "null")
_AGENT_NAME: Final = ("agent.name", "gen_ai.agent.name", "agent_name")
_TOOL_NAME: Final = ("tool.name", "gen_ai.tool.name", "ai.toolCall.name", "traceloop.entity.name")
_TOOL_ID: Final = ("tool.id", "gen_ai.tool.call.id", "ai.toolCall.id")
_TOOL_DESCRIPTION: Final = ("tool.description", "gen_ai.tool.description")
_TOOL_ARGUMENTS: Final = (
    "gen_ai.tool.call.arguments",
    "tool.parameters",
    "ai.toolCall.args",
    "tool_arguments",
)
_MODEL: Final = ("embedding.model_name", "reranker.model_name")
_DOCUMENTS: Final = "gen_ai.retrieval.documents"
_MAX_DOCUMENTS: Final = 100

_CONVERSATION, _USER = FIELDS.index("conversation_id"), FIELDS.index("user_id")
_REQUEST_MODEL, _ERROR_TYPE = FIELDS.index("request_model"), FIELDS.index("error_type")


def around(view: SpanView) -> Step | Frame:
    """The step that a span is; where it is none, its frame: ids, parent and times. Never raises."""
    try:
        step = step_of(view)
    except Exception:  # a shape never seen: its place is known, and the tree stays whole
        step = None
    return frame_of(view) if step is None else step


def meanings_of(assembled: Iterable[Assembled], *, wants_around: bool) -> Iterator[Meaning]:
    """Assembled spans in the form that the delivery takes; a span that still waits for content gives none.

    Args:
        wants_around: spans around calls too.
    """
    for one in assembled:
        if one.call is not None:
            yield one.call
        elif one.wordless is not None:
            yield Wordless(one.wordless)
        elif wants_around and not one.waits:
            yield around(one.view)


def step_of(view: SpanView) -> Step | None:
    """The step that a span tells of; None for a span that is none. It must not be one of a call."""
    kind = kind_of(view)
    if kind is None:
        return None
    attributes, layout = SpanAttributes(view, view.attributes, {}), layout_of(view)
    fields = fields_of(attributes, layout)
    said = stated(view.attributes)
    failed = view.status_code == STATUS_ERROR
    is_tool = kind == TOOL
    asked = _first(view, _INPUT)
    # Vectors are nobody's words, and large.
    told = None if kind == EMBEDDING else _first(view, _OUTPUT)
    return Step(
        frame_of(view),
        kind,
        asked,
        told,
        () if asked else tuple(question_of(attributes, layout.question)),
        None if told or kind == EMBEDDING else _answer(attributes, layout),
        _first(view, _AGENT_NAME),
        _first(view, _TOOL_NAME) if is_tool else None,
        _first(view, _TOOL_ID) if is_tool else None,
        _first(view, _TOOL_DESCRIPTION) if is_tool else None,
        _first(view, _TOOL_ARGUMENTS) if is_tool else None,
        _documents(attributes) if kind == RETRIEVER else (),
        (_first(view, _MODEL) or fields[_REQUEST_MODEL]) if kind in (EMBEDDING, "RERANKER") else None,
        text(said.get(CONVERSATION)) or fields[_CONVERSATION],
        text(said.get(USER)) or fields[_USER],
        (fields[_ERROR_TYPE] or _exception(attributes)) if failed else None,
    )


def _first(view: SpanView, places: Sequence[str]) -> str | None:
    """The first of some attributes that says anything, as text."""
    for place in places:
        value = view.attributes.get(place)
        if value is None:
            continue
        words = value if isinstance(value, str) else text(value) or json_text(value)
        if words not in _EMPTY:
            return words
    return None


def _answer(attributes: SpanAttributes, layout: Layout) -> Message | None:
    choices = answer_of(attributes, layout.answer, layout.reasons)
    return choices[0].message if choices else None


def _documents(attributes: SpanAttributes) -> tuple[str, ...]:
    found: Any = items(attributes.attributes, "retrieval.documents.") or attributes.json(_DOCUMENTS)
    if not isinstance(found, list | tuple):
        return ()
    documents = cast("Sequence[Any]", found)[:_MAX_DOCUMENTS]
    return tuple(words for each in documents if (words := _content(as_map(each))))


def _content(document: Mapping[str, Any]) -> str | None:
    inner = as_map(document.get("document")) or document
    return text(inner.get("content"))


def _exception(attributes: SpanAttributes) -> str | None:
    event = attributes.event("exception")
    return None if event is None else text(event.attributes.get("exception.type"))
