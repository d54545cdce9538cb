"""A Chromium for the tests of pages: the system's own, as Playwright's would be fetched from elsewhere.

Continuous integration installs Debian's; on a developer's machine nothing is installed without being asked.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "no Chromium here: apt-get install chromium"


def program() -> str | None:
    """The path of the browser."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def version() -> str:
    """As in "Chromium 156.0.8078.108"; empty without a browser."""
    path = program()
    said = (
        subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout if path else ""
    )
    return said.partition(" built on")[0].strip()


def provision() -> str:
    """Install it in continuous integration; returns why the tier cannot run, or an empty text."""
    if program() is None and os.environ.get("CI") and shutil.which("apt-get") and os.geteuid() == 0:
        for arguments in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "chromium"]):
            with contextlib.suppress(subprocess.TimeoutExpired):
                subprocess.run(["apt-get", *arguments], check=False, stdout=subprocess.DEVNULL, timeout=300)
    return "" if program() else MISSING


if __name__ == "__main__":
    print(provision() or program())
