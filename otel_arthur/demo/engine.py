"""The demo with the Engine's face: its traces as trees, and its calls as the comparison knows them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

from rich.text import Text
from rich.tree import Tree

from otel_arthur.demo.reconciliation import FAILED, in_order
from otel_arthur.demo.served_call import JSON
from otel_arthur.local.engine.traces import StoredSpan, tree_of
from otel_arthur.local.server import LocalArthur

_MOST = 10_000
_EXCERPT = 60


def all_traces(arthur: LocalArthur) -> list[list[StoredSpan]]:
    """All spans by their trace, in order of the traces' beginnings."""
    traces: dict[str, list[StoredSpan]] = defaultdict(list)
    for span in arthur.traces.spans(limit=_MOST)[1]:
        traces[span.trace_id].append(span)
    return list(traces.values())


def llm_rows(arthur: LocalArthur) -> list[JSON]:
    """The spans of kind LLM as rows of inferences."""
    return in_order(_row(span) for span in arthur.traces.spans(limit=_MOST)[1] if span.kind == "LLM")


def trees(traces: Sequence[Sequence[StoredSpan]]) -> Iterator[Tree]:
    """A tree for each trace: kind, name, tokens, and how each call was answered."""
    for spans in traces:
        top = Tree(Text(f"trace {spans[0].trace_id}", style="dim"))
        path: list[Tree] = [top]
        for depth, span in tree_of(spans):
            del path[depth + 1 :]
            path.append(path[-1].add(_label(span)))
        yield top


def _label(span: StoredSpan) -> Text:
    label = Text(f"{span.kind or '-'} ", style="bold")
    label.append(span.name, style="")
    if span.total_tokens is not None:
        label.append(f"  {span.prompt_tokens}+{span.completion_tokens} tokens", style="cyan")
    if span.has_failed:
        label.append("  failed", style="red")
    elif span.kind == "LLM" and (output := span.attributes.get("output.value")):
        words = " ".join(str(output).split())
        label.append(f"  {words[:_EXCERPT]}{'…' if len(words) > _EXCERPT else ''}", style="dim")
    return label


def _row(span: StoredSpan) -> JSON:
    attributes = span.attributes
    began = datetime.fromtimestamp(span.start_ns / 1e9, timezone.utc)
    metadata = json.loads(str(attributes.get("metadata") or "{}"))
    parameters = json.loads(str(attributes.get("llm.invocation_parameters") or "{}"))
    return {
        "partner_inference_id": f"{span.trace_id}-{span.span_id}-0",
        "inference_timestamp": began.isoformat(timespec="microseconds"),
        "inference_data": {
            "input_text": attributes.get("input.value"),
            "output_text": attributes.get("llm.output_messages.0.message.content", ""),
            "prompt_tokens": span.prompt_tokens,
            "completion_tokens": span.completion_tokens,
            "response_id": metadata.get("response_id"),
            "request_model": parameters.get("model"),
            **({"status": FAILED} if span.has_failed else {}),
        },
    }
