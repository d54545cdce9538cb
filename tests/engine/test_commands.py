"""What the commands say and show of the Engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.delivery import Delivery
from otel_arthur.genai.call import Usage
from otel_arthur.local.engine.spans import read_request
from otel_arthur.local.server import LocalArthur
from tests.support.paths import CAPTURES
from tests.support.processes.running import finished
from tests.support.spans.llm_calls import llm_call, llm_calls
from tests.support.waiting import PATIENCE, eventually

EARLY = 1_700_000_000 * 10**9


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("ARTHUR_", "OTEL_"))}
    return finished([sys.executable, "-m", "otel_arthur", *arguments], env={**environ, **variables})


def test_inspect_shows_what_the_engine_would_get() -> None:
    file = CAPTURES / "pair-oi-langchain+oi-openai" / "default" / "d_agent.pb"
    done = run("inspect", "--target", "engine", str(file), OTEL_EXPORTER_ARTHUR_REDACT="email")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    for one in document["resourceSpans"]:
        for span in one["scopeSpans"][0]["spans"]:
            assert (len(span["traceId"]), len(span["spanId"])) == (32, 16)
            for name in ("traceId", "spanId", "parentSpanId"):
                if name in span:
                    span[name] = b64encode(bytes.fromhex(span[name])).decode()
    request = ParseDict(document, ExportTraceServiceRequest())
    spans = [span for resource in read_request(request.SerializeToString()) for span in resource.spans]
    kinds = Counter(span.kind for span in spans)
    assert kinds["LLM"] == 2
    assert kinds["TOOL"] == 1
    (root,) = [span for span in spans if span.parent_span_id is None]
    assert root.attributes["input.value"]
    assert root.attributes["output.value"]


def test_check_says_what_has_no_effect() -> None:
    done = run(
        "check",
        ARTHUR_BASE_URL="http://127.0.0.1:9",
        OTEL_EXPORTER_ARTHUR_ENDPOINT="http://127.0.0.1:9",
        ARTHUR_API_KEY="k",
        ARTHUR_MODEL_ID="m",
    )
    assert "ARTHUR_BASE_URL does not make the Arthur Engine a target" in done.stdout


def test_a_key_that_may_not_ask_leaves_what_is_in_doubt(
    deliver: Callable[..., Delivery], tmp_path: Path
) -> None:
    """Gaps instead of doubles, as the setting says; each is counted."""
    with LocalArthur(engine_keys={"k": "VALIDATION-USER"}, engine_seconds=(0.05, 0.0)) as engine:
        delivery = deliver(
            engine_endpoint=engine.url,
            engine_api_key="k",
            timeout=0.5,
            engine_doubt=1.0,
            engine_in_doubt="leave",
        )
        delivery.submit(llm_calls(60))
        eventually(lambda: delivery.flush(1), "nothing waits any more")
        counts = delivery.counts()
        assert (counts.sent, counts.unaccounted) == (0, 0)
        assert sum(counts.skipped.values()) == 60
        # The Engine has stored them all the same, once.
        eventually(lambda: engine.traces.spans()[0] == 60, "the Engine has stored all")
        found = Counter(span.span_id for span in engine.traces.spans(limit=1000)[1])
        assert set(found.values()) == {1}


def test_replay_sends_whole_traces_and_once(engine: LocalArthur, tmp_path: Path) -> None:
    folder = CAPTURES / "pair-oi-langchain+oi-openai" / "default"
    files = [str(folder / f"{name}.pb") for name in ("d_agent", "f_lcel", "j_batch")]
    settings = {
        "ARTHUR_BASE_URL": engine.url,
        "ARTHUR_API_KEY": engine.api_key,
        "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(tmp_path / "spool"),
    }
    for arguments in ([], ["--restart"]):
        done = run("replay", *arguments, *files, **settings)
        assert done.returncode == 0, done.stderr
        assert " accepted" in done.stdout
        assert "inference" not in done.stdout.partition("replayed:")[2]
        _, spans = engine.traces.spans(limit=1000)
        assert Counter(span.kind for span in spans)["LLM"] == 6
        assert max(Counter((span.trace_id, span.span_id) for span in spans).values()) == 1
        roots = [span for span in spans if span.parent_span_id is None]
        assert len(roots) == len({span.trace_id for span in spans})
        assert all(root.attributes["input.value"] and root.attributes["output.value"] for root in roots)


def test_replay_sends_calls_whose_words_nobody_recorded_and_says_what_is_deleted(
    engine: LocalArthur, tmp_path: Path
) -> None:
    """Tokens are counted without words too."""
    settings = {
        "ARTHUR_BASE_URL": engine.url,
        "ARTHUR_API_KEY": engine.api_key,
        "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(tmp_path / "spool"),
    }
    file = tmp_path / "old.pb"
    request = ExportTraceServiceRequest.FromString(
        (CAPTURES / "genai-openai-1.3b0" / "default" / "a_invoke.pb").read_bytes()
    )
    for resource in request.resource_spans:
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            span.start_time_unix_nano, span.end_time_unix_nano = EARLY, EARLY + 10**9
    file.write_bytes(request.SerializeToString())
    done = run("replay", str(file), **settings)
    assert done.returncode == 0, done.stderr
    assert "1 call ended more than 90 days ago" in done.stderr
    (span,) = engine.traces.spans()[1]
    assert (span.kind, span.prompt_tokens, span.attributes.get("input.value")) == ("LLM", 21, None)
    # To another Engine it is another replay.
    with LocalArthur() as other:
        again = run(
            "replay",
            str(file),
            **{**settings, "ARTHUR_BASE_URL": other.url, "ARTHUR_API_KEY": other.api_key},
        )
        assert again.returncode == 0, again.stderr
        assert other.traces.spans()[0] == 1


def test_status_shows_what_was_mended(engine: LocalArthur, deliver: Callable[..., Delivery]) -> None:
    delivery = deliver()
    delivery.submit([llm_call("a\x00b"), llm_call(parent_span_id=None, usage=Usage(2**40, 1, 1))])
    assert delivery.flush(PATIENCE)
    assert delivery.counts().mended == {"NUL": 4, "count": 1}
    folder = str(delivery._configuration.spool_dir)
    done = run("spool", "status", "--json", "--dir", folder)
    assert json.loads(done.stdout)["mended"] == {"NUL": 4, "count": 1}
    assert "1 mended so that Arthur can take them: count" in run("spool", "status", "--dir", folder).stdout
