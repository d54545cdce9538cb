"""What otel-arthur was really run against, with versions and dates: `docs/tried-against.md`.

    python -m tests.tried_against                  # `make tried`, half an hour; writes the page
    python -m tests.tried_against --only Engine    # some rows; the page keeps the others

Each row is a run of tests against the real thing. Its version is asked of the environment that the tests use.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from tests.support.checks import Check, machine, pytest, rows_of
from tests.support.environments import browser, kafka, stock_collector
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
EXAMPLES = "tests/examples/test_examples.py"
PLAIN_OPENAI = {
    "openllmetry": ["openai", "opentelemetry-instrumentation-openai"],
    "openinference": ["openinference-instrumentation-openai"],
    "pydantic-ai": ["pydantic-ai-slim"],
}
"""Environment of the examples without LangChain -> the packages whose versions count."""
HERE = {
    "Servers that end": (("gunicorn", "uvicorn", "celery"), pytest("tests/delivery/ends/test_servers.py")),
    "LangChain by one variable": (
        ("langchain", "langchain-openai"),
        pytest("tests/sdk/setup/test_zero_code.py"),
    ),
    "The examples with LangChain": (
        ("langchain", "langgraph", "fastapi", "celery"),
        pytest(EXAMPLES, "-k", "not without"),
    ),
}
"""What is tried -> packages of the environment of development, and the tests that run them."""


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
        versions = "" if missing(tier) else f": {versions_in(str(python_of(tier)), packages)}"
        yield Check(says + versions, pytest("tests", "-m", tier), lacks=partial(missing, tier))
    (version,) = re.findall(r"(?m)^  version: (\S+)", stock_collector.MANIFEST.read_text())
    yield Check(
        f"The OpenTelemetry Collector, stock and with our processor: {version}",
        pytest("tests/collector/test_stock_topologies.py", "tests/collector/processor"),
        lacks=stock_collector.provision,
    )
    members = pytest("tests/collector/processor/faults_of_kafka.py", "--timeout", "7200")
    yield Check(
        f"A consumer group of Collectors, one killed: Apache Kafka {kafka.VERSION}",
        members,
        {"KILL_ROUNDS": "1"},
        kafka.provision,
    )
    engine = pytest(
        *(f"tests/engine/test_{name}.py" for name in ("delivery", "faults", "processes", "trees"))
    )
    yield Check("The Arthur Engine as local Arthur plays it: by the source of 2.1.686", engine)
    yield Check(
        f"Local Arthur's dashboard in a browser: {browser.version()}",
        pytest("tests/local/test_dashboard.py"),
        lacks=browser.provision,
    )
    for says, (packages, command) in HERE.items():
        versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
        yield Check(f"{says}: {versions}", command)
    yield _plain_openai()
    pythons = pytest("tests/support/environments/test_core.py")
    yield Check("Every Python that is here, and the oldest dependencies: the core's tests", pythons)


def _plain_openai() -> Check:
    sessions = {f"examples({name})": packages for name, packages in PLAIN_OPENAI.items()}
    lacks = next(filter(None, map(missing, sessions)), "")
    versions = "" if lacks else ", ".join(versions_in(str(python_of(s)), sessions[s]) for s in sessions)
    says = f"The examples with OpenAI's client alone and with Pydantic AI: {versions}"
    return Check(says, pytest(EXAMPLES, "-k", "without"), lacks=lambda: lacks)


def main() -> int:
    parser = argparse.ArgumentParser(description="Tests against real programs and packages, with dates.")
    parser.add_argument("--only", default="", help="a part of the name of the checks to run")
    only = parser.parse_args().only
    chosen = [check for check in checks() if only in check.says]
    names = {_name(check.says) for check in chosen}
    old = [line for line in PAGE.read_text().splitlines(keepends=True) if re.match(r"\| \d{4}-", line)]
    kept = [line for line in old if only and _name(line.split(" | ")[1]) not in names]
    rows, failed = rows_of(chosen)
    never = "".join(f"| {what} | {instead} |\n" for what, instead in NEVER.items())
    PAGE.write_text(HEAD.format(machine=machine()) + "".join([*kept, *rows]) + TAIL + never)
    return failed


def _name(says: str) -> str:
    """What was tried, without the versions."""
    return says.partition(":")[0]


if __name__ == "__main__":
    sys.exit(main())
