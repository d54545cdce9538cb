"""An OpenTelemetry Collector with our processor for the tests, built from ``collector/builder-config.yaml``.

Built once for each content of the manifest and of the processor, under ``.cache/collector/``; the builder and
all that it needs come through Go's module proxy, checked against Go's checksum database. Go keeps what it
compiled, so that a change of the processor costs seconds.
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
PROCESSOR = ROOT / "collector" / "arthurprocessor"
CACHE = CACHE / "collector"
NO_GO = "Go is not installed: https://go.dev/doc/install"


def program() -> Path:
    """Where the Collector of this manifest and this processor is, built or not."""
    digest = hashlib.sha256(MANIFEST.read_bytes())
    for path in sorted(PROCESSOR.rglob("*")):
        is_built_in = path.suffix in (".go", ".json", ".mod", ".sum") and not path.name.endswith("_test.go")
        if is_built_in and not {"testdata", "tools", "coretest"} & set(path.parts):
            digest.update(path.relative_to(PROCESSOR).as_posix().encode() + path.read_bytes())
    return CACHE / digest.hexdigest()[:16] / "otelcol"


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
        shutil.copytree(PROCESSOR, Path(folder) / PROCESSOR.name)
        run("go", "run", builder[1], "--config", MANIFEST.name, folder=Path(folder))
        # In one step, so that a build that was cut short is never taken for a Collector.
        (Path(folder) / "build" / "otelcol").replace(program())
    return ""


def run(*command: str, folder: Path) -> None:
    """One of Go's commands, behind everything else that wants the processor."""
    # As the builder compiles, so that what it has compiled is not compiled again for the module's tests.
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-trimpath"}
    subprocess.run([*_polite(), *command], cwd=folder, check=True, env=environment)


def _polite() -> list[str]:
    return ["nice"] if shutil.which("nice") else []


if __name__ == "__main__":
    print(provision() or program())
