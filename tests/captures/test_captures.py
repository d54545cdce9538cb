"""The captures are whole: each scenario has its file, each file is read, no maintainer's path is in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.paths import CAPTURES

MANIFESTS = sorted(CAPTURES.glob("*/*/manifest.json"))
each_mode = pytest.mark.parametrize(
    "manifest", MANIFESTS, ids=[str(path.parent.relative_to(CAPTURES)) for path in MANIFESTS]
)


@pytest.mark.parametrize(
    "manifest", MANIFESTS, ids=[str(path.parent.relative_to(CAPTURES)) for path in MANIFESTS]
)
def test_manifest_and_files_agree(manifest: Path) -> None:
    scenarios = json.loads(manifest.read_text())["scenarios"]
    files = {path.name.removesuffix(".pb") for path in manifest.parent.glob("*.pb")}
    assert {name for name in files if not name.endswith(".logs")} == set(scenarios)
    assert {name.removesuffix(".logs") for name in files} == set(scenarios)


@pytest.mark.parametrize(
    "manifest", MANIFESTS, ids=[str(path.parent.relative_to(CAPTURES)) for path in MANIFESTS]
)
def test_files_are_requests_without_private_paths(manifest: Path) -> None:
    spans = 0
    for path in manifest.parent.glob("*.pb"):
        content = path.read_bytes()
        if path.name.endswith(".logs.pb"):
            assert ExportLogsServiceRequest.FromString(content).resource_logs
        else:
            request = ExportTraceServiceRequest.FromString(content)
            spans += sum(len(scope.spans) for one in request.resource_spans for scope in one.scope_spans)
        for private in (b"/.cache/captures", b"/home/", b"/root/", b"/Users/"):
            assert private not in content, path.name
    assert spans
