"""What `make recapture` says of a recording that was made again."""

from __future__ import annotations

import shutil
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.captures import advice
from tests.captures.environments import Mode
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


def test_advice_is_read_off_the_calls_and_followed() -> None:
    found = advice.found_in(CAPTURES / "oll-openai-0.62.4" / "content_false")
    assert found.served
    assert not found.told
    switch = {"TRACELOOP_TRACE_CONTENT": "true"}
    for reason in found.reasons:
        assert advice.followed(advice.advice_of(reason), Mode()) == (Mode(switch), "environment")
    in_code = advice.advice_of("messages were not recorded: set sendDefaultPii: true, or recordInputs: true")
    assert advice.followed(in_code, Mode()) == (Mode(arguments={"sendDefaultPii": True}), "code")
    assert advice.followed("", Mode(switch)) == (Mode(switch), "")


def test_all_calls_of_a_package_that_records_messages_are_told() -> None:
    found = advice.found_in(CAPTURES / "pydantic-ai-2.68.0" / "content_false")
    told = advice.found_in(CAPTURES / "pydantic-ai-2.68.0" / "default")
    assert found.told < found.served
    assert told == (told.served, told.served, ())
