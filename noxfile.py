"""The environments of the tests' tiers, and what runs in them.

    nox --list                      # what there is
    nox -s "python(3.13)" oldest    # the core's tests on another Python, and with the oldest dependencies
    nox --install-only -t tier      # the environments only: how `make test` begins

An environment is kept under ``.cache/nox/`` and brought up to date when its session runs. ``reason.txt`` in
it is empty once it is complete, or says why it could not be made; the tests that need it are skipped then.

uv makes the environments. It comes from the package index like every other dependency of development,
shares one cache between all environments, so that none is downloaded twice, and can choose the lowest
versions that ``pyproject.toml`` allows, which pip cannot.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import nox
from nox.command import CommandFailed

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT))

from tests.captures import environments, environments_long_tail, environments_products  # noqa: E402

nox.options.default_venv_backend = "uv|venv"
nox.options.download_python = "never"
nox.options.envdir = str(ROOT / ".cache" / "nox")
nox.options.reuse_venv = "yes"
nox.options.tags = ["tier"]

nox.options.error_on_missing_interpreters = False

RUNS = f"{sys.version_info.major}.{sys.version_info.minor}"
ALL_PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
PYTHONS = [version for version in ALL_PYTHONS if version != RUNS]
PYTEST = ("hypothesis", "pytest", "pytest-timeout")
LANGCHAIN = ("langchain==1.4.7", "langchain-core==1.7.2", "langchain-openai==1.7.3", "openai==3.54.0")
PLAIN_OPENAI = {
    "openllmetry": ["opentelemetry-instrumentation-openai==0.62.4"],
    "openinference": ["openinference-instrumentation-openai==0.1.66"],
    "pydantic-ai": ["pydantic-ai-slim[openai]==2.68.0"],
}
"""What records the calls of OpenAI's client -> its packages."""
CORE = (
    "tests/inference",
    "tests/genai",
    "tests/sdk/test_span_exporter.py",
    "tests/sdk/test_inside_the_sdk.py",
    "tests/http/test_inside_urllib3.py",
    "tests/collector/test_inside_aiohttp.py",
    "tests/configuration/test_configuration.py",
)
"""The tests that say whether the bridge works at all: run on each Python and with the oldest dependencies."""
CAPTURED = (
    environments.ENVIRONMENTS | environments_long_tail.ENVIRONMENTS | environments_products.ENVIRONMENTS
)
"""Capture environment -> its pinned packages."""


def interpreter(version: str) -> str:
    """The path of pyenv's Python `version`, for pyenv shows only the chosen one; others are found by nox."""
    versions = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    found = sorted(versions.glob(f"{version}.*/bin/python"))
    return str(found[-1]) if found else version


def is_here(version: str) -> bool:
    """Whether this machine has a Python."""
    path = interpreter(version)
    return version == RUNS or shutil.which(path if path != version else f"python{version}") is not None


OLDEST = next((version for version in ALL_PYTHONS if is_here(version)), RUNS)
"""The oldest Python of this machine: the oldest dependencies are tested on it, as those who have both do."""
TESTED = [version for version in PYTHONS if version != OLDEST]
"""The Pythons that are tested with the newest dependencies, besides the one that runs."""


@nox.session
@nox.parametrize(
    "python",
    [
        nox.param(interpreter(version), id=version, tags=["tier"] if version in TESTED else [])
        for version in PYTHONS
    ],
)
def python(session: nox.Session) -> None:
    """The core's tests on another supported Python."""
    servers = ("gunicorn", "uvicorn-worker")
    install(
        session, ["-e", ".[langchain,local,collector]", "langchain", "langchain-openai", *PYTEST, *servers]
    )
    run_core(session)


@nox.session(tags=["tier"], python=interpreter(OLDEST))
def oldest(session: nox.Session) -> None:
    """The core's tests on the oldest Python, with the lowest version of each dependency that we allow."""
    lowest = ("--upgrade", "--resolution=lowest-direct")
    install(session, [*lowest, "-e", ".[all]"], [*PYTEST, "openai"])
    run_core(session)


@nox.session(tags=["tier"])
def installed(session: nox.Session) -> None:
    """What the README's install line gives a user: no package of development, no other distro."""
    install(session, ["--reinstall-package", "otel-arthur", ".[langchain]", "langchain", "langchain-openai"])


@nox.session(tags=["tier"])
def instrumentations(session: nox.Session) -> None:
    """The official GenAI instrumentations and ours, and no other instrumentation."""
    install(
        session,
        [
            *("-e", ".", *LANGCHAIN),
            "opentelemetry-sdk==1.45.2",
            "opentelemetry-distro==0.66b2",
            "opentelemetry-instrumentation-genai-langchain==1.3b0",
            "opentelemetry-instrumentation-genai-openai==1.3b0",
        ],
    )


@nox.session(tags=["tier"])
@nox.parametrize("packages", [nox.param(packages, id=name) for name, packages in PLAIN_OPENAI.items()])
def examples(session: nox.Session, packages: Sequence[str]) -> None:
    """What the examples without LangChain install."""
    install(session, ["-e", ".", "openai==3.54.0", *packages])


@nox.session(tags=["tier"], python=sys.executable)
def second(session: nox.Session) -> None:
    """A second instrumentation alone, for tests that put it beside the environment of development."""
    install(
        session,
        [
            "--no-deps",
            "openinference-instrumentation==0.1.72",
            "openinference-instrumentation-openai==0.1.66",
            "openinference-semantic-conventions==0.1.42",
        ],
    )


@nox.session(tags=["tier"], python=RUNS if RUNS in ("3.10", "3.11") else interpreter("3.11"))
def arthurai(session: nox.Session) -> None:
    """Arthur's own SDK (900 MB): its pins exclude LangChain 1.x, and pandas 1.5 excludes Python 3.12."""
    install(session, ["-e", ".[local,arthurai]", *PYTEST])


@nox.session(tags=["tier"])
def callback_handler(session: nox.Session) -> None:
    """LangChain's Arthur callback handler and our exporter in one process (1.2 GB).

    The handler imports ``arthurai``, whose pins exclude LangChain 1.x. Installed without its requirements,
    and with newer ones than it names, it imports: fit to compare with, not for users.
    """
    compared = (*LANGCHAIN, "langchain-community==0.4.2", "opentelemetry-instrumentation-langchain==0.62.4")
    imported = "dataclasses-json dill docker matplotlib numpy pandas pyarrow pyjwt python-dateutil pytz "
    imported += "scikit-image scikit-learn seaborn setuptools<81 shap shortuuid tqdm yaspin"
    install(
        session,
        ["-e", ".", *compared, *imported.split()],
        ["--no-deps", "arthurai==3.33.3", "lime"],
        probe="import langchain_community.callbacks.arthur_callback, arthurai.common.constants",
    )


@nox.session(tags=["tier"], venv_backend="none")
def collector(session: nox.Session) -> None:
    """A stock OpenTelemetry Collector, built with Go from collector/builder-config.yaml."""
    session.run_install(sys.executable, "-m", "tests.support.environments.stock_collector")


@nox.session(tags=["tier"], venv_backend="none")
def browser(session: nox.Session) -> None:
    """A Chromium for the pages of local Arthur; continuous integration installs it."""
    session.run_install(sys.executable, "-m", "tests.support.environments.browser")


@nox.session(tags=["tier"])
def docs(session: nox.Session) -> None:
    """The documentation as a site."""
    install(session, ["zensical==0.0.73"])
    session.run("python", "-m", "tests.documentation.site")


@nox.session
def bench(session: nox.Session) -> None:
    """All benchmarks as a page: what `make bench` runs; arguments after ``--`` go to the report."""
    install(session, ["-e", ".[bench]"])
    session.run("python", "benchmarks/report.py", *session.posargs)


@nox.session
@nox.parametrize("python", [nox.param(interpreter(version), id=version) for version in ALL_PYTHONS])
def exporters(session: nox.Session) -> None:
    """The exporters that are compared, on each Python of this machine."""
    install(session, ["-e", ".[bench]"])


@nox.session
@nox.parametrize("environment", [nox.param(name, id=name) for name in CAPTURED])
def captures(session: nox.Session, environment: str) -> None:
    """An environment in which `make recapture` records."""
    install(session, CAPTURED[environment])


def install(session: nox.Session, *requirements: Sequence[str], probe: str = "") -> None:
    """Installs each list of requirements; the session is skipped where that, or running `probe`, fails."""
    reason = Path(session.virtualenv.location) / "reason.txt"
    try:
        for arguments in requirements:
            session.install("--quiet", *arguments)
        if probe:
            session.run_install("python", "-c", probe)
    except CommandFailed as error:
        reason.write_text(f"its packages could not be installed here: {error.reason or 'see above'}")
        session.skip(reason.read_text())
    reason.write_text("")


def run_core(session: nox.Session) -> None:
    """Runs the core's tests; arguments after ``--`` go to pytest."""
    session.run("pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider", *session.posargs, *CORE)
