"""A secret in every attribute of recorded traces: redaction leaves none of it, metadata none in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from msgspec.structs import replace

from otel_arthur import ArthurSpanExporter
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.steps.kinds import KIND_ATTRIBUTES
from otel_arthur.local.engine.traces import StoredSpan
from otel_arthur.local.server import LocalArthur
from tests.genai.matrix.truth import Capture, captures, views_of
from tests.support.spans.readable import readable_span
from tests.support.waiting import PATIENCE

SECRET = "zq9secret"
DECIDING = {*KIND_ATTRIBUTES, "input.mime_type", "output.mime_type"}
"""What a span is read by: with another value it would be another span."""
NAMES = {
    *("session.id", "user.id", "agent.name", "llm.model_name", "llm.invocation_parameters", "metadata"),
    *("tool.name", "tool_call.function.name", "tool.id", "embedding.model_name"),
    *("llm.provider", "llm.system"),
}
"""Attributes of names and ids, which may leave where only metadata does (docs/redaction.md)."""
SCENARIOS = ("d_tools", "d_agent", "m_embeddings", "q_metadata", "s_image", "y_rag")


def redact(text: str) -> str:
    return text.replace(SECRET, "[gone]")


def planted(value: Any, key: str = "") -> Any:
    """The value with the secret in each text of it, in JSON texts too."""
    if isinstance(value, str):
        if value[:1] in ("{", "["):
            try:
                return json.dumps(planted(json.loads(value)))
            except ValueError:
                pass
        return value if key in ("role", "type") else f"{value} {SECRET}"
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        return {name: planted(item, name) for name, item in entries.items()}
    if isinstance(value, list | tuple):
        return [planted(item, key) for item in cast("list[Any]", value)]
    return value


def with_secrets(view: SpanView) -> SpanView:
    def each(attributes: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: value if key in DECIDING or key.endswith(".role") else planted(value)
            for key, value in attributes.items()
        }

    return replace(
        view,
        name=f"{view.name} {SECRET}",
        attributes=each(view.attributes),
        events=[replace(event, attributes=each(event.attributes)) for event in view.events],
        status_message=f"{view.status_message} {SECRET}",
    )


def chosen() -> list[Capture]:
    return [capture for capture in captures() if capture.scenario in SCENARIOS]


def stored(folder: Path, **settings: Any) -> list[StoredSpan]:
    with LocalArthur() as engine:
        exporter = ArthurSpanExporter(
            engine_endpoint=engine.url,
            engine_api_key=engine.api_key,
            spool_dir=folder,
            timeout=PATIENCE,
            attributes={"note": "gen_ai.system_instructions"},
            **settings,
        )
        for capture in chosen():
            exporter.export([readable_span(with_secrets(view)) for view in views_of(capture)])
        assert exporter.force_flush(round(PATIENCE * 1000))
        exporter.shutdown()
        return engine.traces.spans(limit=10**6)[1]


def places(spans: list[StoredSpan]) -> set[str]:
    """Attributes in which the secret is found."""
    return {key for span in spans for key, value in span.attributes.items() if SECRET in str(value)}


def test_redaction_leaves_no_secret(tmp_path: Path) -> None:
    spans = stored(tmp_path, redact="tests.engine.test_privacy.redact")
    assert places(spans) == set()
    assert not any(SECRET in span.name for span in spans)
    kinds = {span.kind for span in spans}
    assert {"LLM", "AGENT", "TOOL", "RETRIEVER", "EMBEDDING", "CHAIN"} <= kinds
    masked = {key for span in spans for key, value in span.attributes.items() if "[gone]" in str(value)}
    assert masked >= NAMES


def test_metadata_alone_holds_no_words(tmp_path: Path) -> None:
    spans = stored(tmp_path, content="metadata")
    assert places(spans) <= NAMES
    assert not any(key.startswith(("input.", "output.", "retrieval.")) for s in spans for key in s.attributes)


def test_the_secret_is_where_words_are_otherwise(tmp_path: Path) -> None:
    """What the two tests above look for is there to be found."""
    found = places(stored(tmp_path))
    assert {"input.value", "output.value", "tool.description", "tool.parameters"} <= found
    assert "retrieval.documents.0.document.content" in found
