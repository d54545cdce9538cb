"""Records what real instrumentations emit, against the test server. For maintainers; needs PyPI.

    python -m tests.captures.recapture --list
    python -m tests.captures.recapture oll-langchain-0.62.4
    python -m tests.captures.recapture --all

Writes ``<folder>/<mode>/<scenario>.pb`` (one ExportTraceServiceRequest), ``<scenario>.logs.pb`` (one
ExportLogsServiceRequest, where there were log records) and ``manifest.json``: package versions,
switches, and the truth of each scenario as the server saw it. What is recorded: ``environments*.py``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.captures.environments import Recording
from tests.captures.places import RECORDINGS, command_of, packages_in, place_of, private_folder
from tests.support.paths import CAPTURES, ROOT
from tests.support.servers.next_hops import HTTPServerBehind
from tests.support.servers.providers.openai_answers import (
    CACHED_TOKENS,
    COMPLETION_TOKENS,
    PROMPT_TOKENS,
    REASONING_TOKENS,
)
from tests.support.servers.providers.openai_calls import Call
from tests.support.servers.providers.openai_server import OpenAIServer
from tests.support.spans.exports import log_exports, trace_exports

JSON = dict[str, Any]


def truth(call: Call) -> JSON:
    """What a reader of the captures may expect of one call."""
    answered: JSON = {
        "response_id": call.response_id,
        "texts": list(call.texts),
        "tool_call": bool(call.tool_calls),
        "finish_reason": call.finish_reason,
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": COMPLETION_TOKENS,
        "cached_tokens": CACHED_TOKENS,
        "reasoning_tokens": REASONING_TOKENS,
    }
    if call.tool_calls:
        answered["tool_calls"] = [
            {"id": one.id, "name": one.name, "arguments": json.loads(one.arguments)}
            for one in call.tool_calls
        ]
    if call.reasoning:
        answered["reasoning"] = call.reasoning
    if call.cache_written:
        answered["cache_written_tokens"] = call.cache_written
    return {
        "path": call.path,
        "model": call.request.get("model"),
        "status": call.status,
        "streamed": call.streamed,
        "complete": call.complete,
    } | (answered if call.response_id else {})


def scrub(path: Path, folder: Path) -> None:
    """Takes this machine's paths out of stack traces."""
    kind = ExportLogsServiceRequest if path.name.endswith(".logs.pb") else ExportTraceServiceRequest
    text = json_format.MessageToJson(kind.FromString(path.read_bytes()))
    for place, name in (
        (folder.resolve(), "/venv"),
        (folder, "/venv"),
        (ROOT, "/app"),
        (Path(sys.base_prefix), "/usr"),
    ):
        text = text.replace(str(place), name)
    path.write_bytes(json_format.Parse(text, kind()).SerializeToString(deterministic=True))


def keep(exported: HTTPServerBehind, path: Path) -> None:
    """Writes what arrived over OTLP in a scenario, where its program writes nothing itself."""
    taken, exported.got = exported.got, []
    if path.exists():
        return
    traces, logs = ExportTraceServiceRequest(), ExportLogsServiceRequest()
    for got in taken:
        if got.path == "/v1/traces":
            traces.resource_spans.extend(r for one in trace_exports(got.body) for r in one.resource_spans)
        elif got.path == "/v1/logs":
            logs.resource_logs.extend(r for one in log_exports(got.body) for r in one.resource_logs)
    path.write_bytes(traces.SerializeToString())
    if logs.resource_logs:
        path.with_suffix(".logs.pb").write_bytes(logs.SerializeToString())


def run(recording: Recording, mode_name: str, place: Path, into: Path = CAPTURES) -> int:
    """Records one mode into a folder of `into`; returns how many scenarios.

    Args:
        place: from `place_of`.
    """
    mode = recording.modes[mode_name]
    out = into / recording.folder / mode_name
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    command = command_of(recording, mode, out, place)
    scenarios: dict[str, list[JSON]] = {}
    with OpenAIServer() as server, HTTPServerBehind() as exported:
        # A clean environment: the maintainer's own switches must not be recorded.
        environ = {
            "PATH": os.environ["PATH"],
            "OPENAI_BASE_URL": server.base_url,
            "OPENAI_API_KEY": "test",
            "ANTHROPIC_BASE_URL": server.base_url.removesuffix("/v1"),
            "ANTHROPIC_API_KEY": "test",
            "GOOGLE_GEMINI_BASE_URL": server.base_url.removesuffix("/v1"),
            "GEMINI_API_KEY": "test",
            "OTEL_SERVICE_NAME": "captures",
            "LANGSMITH_TRACING": "false",
            "TRACELOOP_TELEMETRY": "false",
            # Where those send their spans that don't write them themselves.
            "CAPTURES_ENDPOINT": exported.url,
        } | mode.environ
        with subprocess.Popen(
            command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            seen = 0
            for line in child.stdout:
                calls = server.calls
                scenarios[name := line.strip()] = [truth(call) for call in calls[seen:]]
                keep(exported, out / f"{name}.pb")
                seen = len(calls)
                child.stdin.write("\n")
                child.stdin.flush()
        if child.returncode:
            raise click.ClickException(f"{recording.folder}/{mode_name} ended with {child.returncode}")
    for path in sorted(out.glob("*.pb")):
        scrub(path, private_folder(place))
    manifest = {
        "instrumentors": recording.instrumentors,
        "environ": mode.environ,
        "arguments": mode.arguments,
        "python": ".".join(map(str, sys.version_info[:3])),
        "packages": packages_in(recording, place),
        "scenarios": scenarios,
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    return len(scenarios)


@click.command()
@click.argument("folders", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Record every folder.")
@click.option("--list", "listing", is_flag=True, help="Print the folders and their modes.")
def main(folders: tuple[str, ...], everything: bool, listing: bool) -> None:
    """Records FOLDERS anew."""
    known = {recording.folder: recording for recording in RECORDINGS}
    if listing:
        for name, recording in known.items():
            click.echo(f"{name}: {', '.join(recording.modes)}")
        return
    if unknown := [name for name in folders if name not in known]:
        raise click.UsageError(f"no such folder: {', '.join(unknown)} (see --list)")
    for name in known if everything else folders:
        place = place_of(known[name])
        for mode_name in known[name].modes:
            count = run(known[name], mode_name, place)
            click.echo(f"{name}/{mode_name}: {count} scenarios")


if __name__ == "__main__":
    main()
