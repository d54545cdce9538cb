"""What `make recapture` says of a recording that was made again."""

from __future__ import annotations

import shutil
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.captures.newest import differences
from tests.captures.places import unpinned
from tests.support.paths import CAPTURES

RECORDED = CAPTURES / "oll-openai-0.53.4"


def test_a_recording_is_as_itself() -> None:
    assert differences(RECORDED, RECORDED) == ("as recorded", "nothing")


def test_new_lost_and_changed_keys_and_what_is_read_otherwise(tmp_path: Path) -> None:
    again = tmp_path / RECORDED.name
    shutil.copytree(RECORDED, again)
    for path in again.rglob("*.pb"):
        request = ExportTraceServiceRequest.FromString(path.read_bytes())
        for span in (s for r in request.resource_spans for scope in r.scope_spans for s in scope.spans):
            for attribute in span.attributes:
                if attribute.key == "gen_ai.request.model":
                    attribute.key = "gen_ai.request.model_of_tomorrow"
                if attribute.key == "gen_ai.usage.input_tokens":
                    attribute.value.string_value = str(attribute.value.int_value)
        path.write_bytes(request.SerializeToString())
    keys, read = differences(RECORDED, again)
    assert "new `gen_ai.request.model_of_tomorrow`" in keys
    assert "lost `gen_ai.request.model`" in keys
    assert "`gen_ai.usage.input_tokens` was int, is str" in keys
    assert "`request_model` in 0, was " in read


def test_requirements_lose_their_versions() -> None:
    assert unpinned("pydantic-ai-slim[openai]==2.68.0") == "pydantic-ai-slim[openai]"
    assert unpinned("@ai-sdk/openai@2.0.1") == "@ai-sdk/openai@latest"
    assert unpinned("github.com/firebase/genkit/go@v1.4.0") == "github.com/firebase/genkit/go@latest"
    assert unpinned("com.google.adk:google-adk:1.8.0") == "com.google.adk:google-adk:RELEASE"
