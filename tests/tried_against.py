"""What otel-arthur was really run against, with versions and dates: `docs/tried-against.md`.

    python -m tests.tried_against       # `make tried`, about ten minutes; writes the page

Each row is a run of tests against the real thing. Its version is asked of the environment that the tests use.
"""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Iterator

from tests.support.checks import Check, machine, pytest, rows_of
from tests.support.environments import stock_collector
from tests.support.environments.tiers import missing, python_of
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "tried-against.md"
HEAD = """# Tried against

Written by `make tried`, on {machine}: each row is a run of tests against the real program or package.
Instrumentations and frameworks are recorded with their real packages, version by version, in
[compatibility.md](compatibility.md); kills, soaks and Apache Kafka are in [faults.md](faults.md).

| date | against | command | result | seconds |
|---|---|---|---|---|
"""
TAIL = """
## Never tried

| what | what stands in for it |
|---|---|
"""
NEVER = {
    "Arthur's hosted platform": "local Arthur, as strict as the recorded traffic of the `arthurai` SDK",
    "Arthur Engine, in these tests": "local Arthur's face of it, by the source of 2.1.686 and measurements",
    "Windows": "`tests/process/test_without_posix.py` takes away what POSIX alone has; "
    "paths, locks of open files and consoles stay those of Linux",
    "macOS": "nothing; what Linux alone has is looked for before it is used",
    "a Kubernetes cluster": "the manifests of `collector/kubernetes/` fit the schemas of Kubernetes 1.31, "
    "and the configurations in them are read",
    "a container engine": "nothing; `collector/Dockerfile` was never built",
}
"""What was never tried, and what stands in for it."""
TIERS = {
    "arthurai": ("Arthur's own SDK, against local Arthur", ["arthurai"]),
    "callback_handler": ("LangChain's Arthur callback handler", ["langchain-community", "langchain-core"]),
    "instrumentations": (
        "OpenTelemetry's GenAI packages and distro, by one variable",
        ["opentelemetry-sdk", "opentelemetry-distro", "opentelemetry-instrumentation-genai-langchain"],
    ),
}
"""Tier -> what it tries, and the packages whose versions count."""
HERE = (
    (("gunicorn", "uvicorn", "celery"), pytest("tests/delivery/ends/test_servers.py")),
    (("langchain", "langchain-openai"), pytest("tests/sdk/setup/test_zero_code.py")),
)
"""Packages of the environment of development, and the tests that run them."""


def versions_in(python: str, packages: list[str]) -> str:
    """As in "arthurai 3.33.3", of an environment."""
    program = (
        "import sys, importlib.metadata as m; print(', '.join(f'{n} {m.version(n)}' for n in sys.argv[1:]))"
    )
    done = subprocess.run(
        [python, "-c", program, *packages], capture_output=True, text=True, check=True, cwd=ROOT.parent
    )
    return done.stdout.strip()


def checks() -> Iterator[Check]:
    for tier, (says, packages) in TIERS.items():
        lacks = missing(tier)
        versions = "" if lacks else f": {versions_in(str(python_of(tier)), packages)}"
        yield Check(says + versions, pytest("tests", "-m", tier), lacks=lacks)
    (version,) = re.findall(r"(?m)^  version: (\S+)", stock_collector.MANIFEST.read_text())
    yield Check(
        f"The OpenTelemetry Collector {version}, stock and with our processor",
        pytest("tests/collector/test_stock_topologies.py", "tests/collector/processor"),
        lacks=stock_collector.provision(),
    )
    for packages, command in HERE:
        yield Check(", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages), command)
    pythons = pytest("tests/support/environments/test_core.py")
    yield Check("Every Python that is here, and the oldest dependencies: the core's tests", pythons)


def main() -> int:
    rows, failed = rows_of(list(checks()))
    never = "".join(f"| {what} | {instead} |\n" for what, instead in NEVER.items())
    PAGE.write_text(HEAD.format(machine=machine()) + "".join(rows) + TAIL + never)
    return failed


if __name__ == "__main__":
    sys.exit(main())
