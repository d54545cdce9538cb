"""Arthur's own SDK in an environment of its own: its pins exclude LangChain 1.x and Python 3.12."""

from __future__ import annotations

import shutil
import subprocess
import sys

from tests.support.environments import interpreters
from tests.support.paths import CACHE, ROOT

ENVIRONMENT = CACHE / "arthurai"
PYTHON = ENVIRONMENT / "bin" / "python"
PACKAGES = ("pytest", "pytest-timeout", "hypothesis")


def provision() -> str:
    """Make the environment (900 MB, about a minute); returns why it cannot be, or an empty text."""
    done = ENVIRONMENT / ".done"
    wanted = "\n".join((*PACKAGES, (ROOT / "pyproject.toml").read_text()))
    if done.exists() and done.read_text() == wanted:
        return ""
    interpreter = _interpreter()
    if interpreter is None:
        return "arthurai 3.33.3 needs Python 3.10 or 3.11 (pandas 1.5), and neither is installed"
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    subprocess.run([interpreter, "-m", "venv", str(ENVIRONMENT)], check=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-e", f"{ROOT}[local,arthurai]", *PACKAGES], check=True, cwd=ROOT)
    done.write_text(wanted)
    return ""


def _interpreter() -> str | None:
    if sys.version_info < (3, 12):
        return sys.executable
    others = interpreters.found()
    return others.get("3.11") or others.get("3.10")
