"""An environment with the official GenAI instrumentations and ours, and no other instrumentation."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv

from tests.support.paths import CACHE, ROOT

ENVIRONMENT = CACHE / "instrumentations" / "genai"
PACKAGES = (
    "langchain==1.4.7",
    "langchain-core==1.7.2",
    "langchain-openai==1.7.3",
    "openai==3.54.0",
    "opentelemetry-sdk==1.45.2",
    "opentelemetry-distro==0.66b2",
    "opentelemetry-instrumentation-genai-langchain==1.3b0",
    "opentelemetry-instrumentation-genai-openai==1.3b0",
)


def provision() -> str:
    """Make the environment if it is missing or out of date; returns why the tier cannot run, or ''."""
    stamp = ENVIRONMENT / ".done"
    wanted = "\n".join((sys.version, str(ROOT), *PACKAGES, (ROOT / "pyproject.toml").read_text()))
    if stamp.exists() and stamp.read_text() == wanted:
        return ""
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    venv.create(ENVIRONMENT, with_pip=True)
    pip = [str(ENVIRONMENT / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-e", str(ROOT), *PACKAGES], check=True, cwd=ROOT)
    stamp.write_text(wanted)
    return ""


def missing() -> str:
    """Why tests cannot use the environment now, or ''."""
    return "" if (ENVIRONMENT / ".done").exists() else "`make test` has not made it"
