"""Celery beside the tests' own environment: a folder for the path of the worker's process."""

from __future__ import annotations

import shutil
import subprocess
import sys

from tests.support.paths import CACHE

FOLDER = CACHE / "celery"
PACKAGES = ("celery>=5.4",)
MISSING = "no Celery: make test installs it"


def provision() -> str:
    """Install what is missing; returns why the tier cannot run, or an empty text."""
    stamp = FOLDER / ".done"
    wanted = "\n".join((sys.version, *PACKAGES))
    if stamp.exists() and stamp.read_text() == wanted:
        return ""
    shutil.rmtree(FOLDER, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", str(FOLDER), *PACKAGES], check=True)
    stamp.write_text(wanted)
    return ""
