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

from tests.captures import environments, environments_long_tail, environments_products
from tests.captures.environments import Mode, Recording
from tests.support.environments.tiers import environment, missing, python_of
from tests.support.paths import CACHE, CAPTURES, ROOT
from tests.support.servers.openai_answers import (
    CACHED_TOKENS,
    COMPLETION_TOKENS,
    PROMPT_TOKENS,
    REASONING_TOKENS,
)
from tests.support.servers.openai_calls import Call
from tests.support.servers.openai_server import OpenAIServer

JSON = dict[str, Any]
ENVIRONMENTS = (
    environments.ENVIRONMENTS | environments_long_tail.ENVIRONMENTS | environments_products.ENVIRONMENTS
)
NODE_ENVIRONMENTS = environments_long_tail.NODE_ENVIRONMENTS | environments_products.NODE_ENVIRONMENTS
RECORDINGS = environments.RECORDINGS + environments_long_tail.RECORDINGS + environments_products.RECORDINGS
PROGRAMS = CAPTURES / "programs"
"""What an environment runs, with what it imports beside it."""


def folder_of(name: str) -> Path:
    """Where an environment is, made or not."""
    return CACHE / "captures" / name if name in NODE_ENVIRONMENTS else environment(f"captures({name})")


def environment_python(name: str) -> Path:
    """The interpreter of an environment of ``noxfile.py``, brought up to date."""
    session = f"captures({name})"
    subprocess.run([sys.executable, "-m", "nox", "--install-only", "-s", session], check=True, cwd=ROOT)
    if reason := missing(session):
        raise click.ClickException(f"{name}: {reason}")
    return python_of(session)


def environment_node(name: str) -> Path:
    """The folder of a cached npm environment, made anew when its requirements changed."""
    folder, wanted = folder_of(name), "\n".join(NODE_ENVIRONMENTS[name]) + "\n"
    stamp = folder / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        subprocess.run(
            ["npm", "install", "--silent", "--prefix", folder, *NODE_ENVIRONMENTS[name]], check=True
        )
        stamp.write_text(wanted)
    return folder


def place_of(recording: Recording) -> Path:
    """An interpreter, or a folder of npm packages, brought up to date: what runs a recording's program."""
    name = recording.environment
    return environment_node(name) if name in NODE_ENVIRONMENTS else environment_python(name)


def command_of(recording: Recording, mode: Mode, out: Path, place: Path) -> list[str]:
    """How to run a recording's program."""
    arguments = json.dumps(mode.arguments)
    if recording.environment in NODE_ENVIRONMENTS:
        # Node looks for packages beside the program.
        for program in PROGRAMS.glob("*.mjs"):
            shutil.copy(program, place)
        command = ["node", str(place / recording.program), str(out), arguments]
        return [*command, "".join(recording.instrumentors), *recording.scenarios]
    command = [str(place), str(PROGRAMS / recording.program), "--out", str(out), "--arguments", arguments]
    command += [part for name in recording.instrumentors for part in ("--instrumentor", name)]
    return command + [part for name in recording.scenarios for part in ("--only", name)]


def packages_in(recording: Recording, place: Path) -> dict[str, str]:
    """Package -> version, of those that can matter to a reader of the captures."""
    if recording.environment not in NODE_ENVIRONMENTS:
        return installed(place, ENVIRONMENTS[recording.environment])
    names = [pin.rpartition("@")[0] for pin in NODE_ENVIRONMENTS[recording.environment]]
    manifests = {name: place / "node_modules" / name / "package.json" for name in names}
    return {name: json.loads(path.read_text())["version"] for name, path in manifests.items()}


def installed(python: Path, requirements: list[str]) -> dict[str, str]:
    # An environment that uv makes has no pip.
    program = (
        "import json, importlib.metadata as m; "
        "print(json.dumps([{'name': d.name, 'version': d.version} for d in m.distributions()]))"
    )
    listing = subprocess.run([python, "-c", program], check=True, capture_output=True, text=True)
    prefixes = ("opentelemetry-", "openinference-", "langchain", "langgraph", "openai")
    prefixes += tuple(_normal(pin.partition("=")[0].partition("[")[0]) for pin in requirements)
    return {
        entry["name"]: entry["version"]
        for entry in json.loads(listing.stdout)
        if _normal(entry["name"]).startswith(prefixes)
    }


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")


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
    with OpenAIServer() as server:
        # A clean environment: the maintainer's own switches must not be recorded.
        environ = {
            "PATH": os.environ["PATH"],
            "OPENAI_BASE_URL": server.base_url,
            "OPENAI_API_KEY": "test",
            "ANTHROPIC_BASE_URL": server.base_url.removesuffix("/v1"),
            "ANTHROPIC_API_KEY": "test",
            "OTEL_SERVICE_NAME": "captures",
            "LANGSMITH_TRACING": "false",
            "TRACELOOP_TELEMETRY": "false",
        } | mode.environ
        with subprocess.Popen(
            command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            seen = 0
            for line in child.stdout:
                calls = server.calls
                scenarios[line.strip()] = [truth(call) for call in calls[seen:]]
                seen = len(calls)
                child.stdin.write("\n")
                child.stdin.flush()
        if child.returncode:
            raise click.ClickException(f"{recording.folder}/{mode_name} ended with {child.returncode}")
    for path in sorted(out.glob("*.pb")):
        scrub(path, place.parents[1] if place.is_file() else place)
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
