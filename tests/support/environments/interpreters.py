"""Other Python versions on this machine, each with an environment that can run the core's tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.paths import CACHE, ROOT

VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
ENVIRONMENTS = CACHE / "interpreters"
PACKAGES = ("hypothesis", "pytest", "pytest-timeout", "langchain>=1,<1.5", "langchain-openai")


def found() -> dict[str, str]:
    """Version -> interpreter, for the supported versions other than the one that runs."""
    interpreters: dict[str, str] = {}
    for version in VERSIONS:
        if version == f"{sys.version_info.major}.{sys.version_info.minor}":
            continue
        for candidate in _candidates(version):
            if _runs(candidate):
                interpreters[version] = candidate
                break
    return interpreters


def environment(version: str) -> Path:
    """Where the environment of a version is, made or not."""
    return ENVIRONMENTS / version


def provision() -> str:
    """Make the environments that are missing; returns why the tier cannot run, or an empty text."""
    interpreters = found()
    wanted = "\n".join((*PACKAGES, (ROOT / "pyproject.toml").read_text()))
    for version, interpreter in interpreters.items():
        done = environment(version) / ".done"
        if done.exists() and done.read_text() == wanted:
            continue
        shutil.rmtree(environment(version), ignore_errors=True)
        subprocess.run([interpreter, "-m", "venv", str(environment(version))], check=True)
        pip = [str(environment(version) / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-e", f"{ROOT}[langchain,local]", *PACKAGES], check=True, cwd=ROOT)
        done.write_text(wanted)
    return "" if interpreters else "no other supported Python is installed"


def _candidates(version: str) -> list[str]:
    on_path = shutil.which(f"python{version}")
    versions = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    managed = sorted(map(str, versions.glob(f"{version}.*/bin/python")), reverse=True)
    return [*([on_path] if on_path else []), *managed]


def _runs(interpreter: str) -> bool:
    # A version switcher's stand-in is on the path and only says that the version is not chosen.
    return subprocess.run([interpreter, "--version"], capture_output=True, check=False).returncode == 0
