"""A stock OpenTelemetry Collector for the tests, built from ``collector/builder-config.yaml``.

Built once for each content of the manifest, under ``.cache/collector/``; the builder and all that it
needs come through Go's module proxy, checked against Go's checksum database.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.paths import CACHE, ROOT

MANIFEST = ROOT / "collector" / "builder-config.yaml"
CACHE = CACHE / "collector"
NO_GO = "Go is not installed: https://go.dev/doc/install"


def program() -> Path:
    """Where the Collector of this manifest is, built or not."""
    digest = hashlib.sha256(MANIFEST.read_bytes()).hexdigest()[:16]
    return CACHE / digest / "otelcol"


def provision() -> str:
    """Build the Collector where it is missing; returns why the tier cannot run, or an empty text."""
    if program().exists():
        return ""
    if shutil.which("go") is None:
        return NO_GO
    builder = re.search(r"go run (\S+cmd/builder@\S+)", MANIFEST.read_text())
    assert builder is not None, "the manifest's head names the builder"
    program().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program().parent) as folder:
        shutil.copy(MANIFEST, folder)
        only_sources = ["--skip-get-modules", "--skip-compilation"]
        _run(["go", "run", builder[1], "--config", MANIFEST.name, *only_sources], Path(folder))
        _run(["go", "build", "-mod=mod", "-o", "otelcol", "."], Path(folder) / "build")
        # In one step, so that a build that was cut short is never taken for a Collector.
        (Path(folder) / "build" / "otelcol").replace(program())
    return ""


def _run(command: list[str], folder: Path) -> None:
    subprocess.run([*_polite(), *command], cwd=folder, check=True, env={**os.environ, "CGO_ENABLED": "0"})


def _polite() -> list[str]:
    return ["nice"] if shutil.which("nice") else []


if __name__ == "__main__":
    print(provision() or program())
