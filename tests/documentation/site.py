"""The documentation as a site: what `make docs` builds, in the environment of the nox session ``docs``.

    python -m tests.documentation.site [FOLDER]

The pages are copied as they lie in the project, so that a link is right in the project and on the site.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.paths import CACHE, ROOT

PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE")
FOLDERS = ("docs", "examples", "collector")
OF_A_LONG_RUN = "docs/benchmarks.md"
"""The page that `make bench` writes: it need not be there yet."""
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*", "build", "venv", "*.toml")


def build(folder: Path) -> Path:
    """Builds the site below `folder`, strictly; returns the folder of its pages.

    Raises:
        CalledProcessError: a page has a link that leads nowhere, or the site cannot be built.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / "pages" / name, ignore=LEFT_OUT)
    for name in PAGES:
        shutil.copy(ROOT / name, folder / "pages" / name)
    # The processor's page is generated, with badges from elsewhere.
    processor = folder / "pages" / "collector" / "arthurprocessor" / "README.md"
    processor.write_text("".join(line for line in processor.open() if "img.shields.io" not in line))
    settings = (ROOT / "docs" / "zensical.toml").read_text().splitlines(keepends=True)
    if not (folder / "pages" / OF_A_LONG_RUN).exists():
        settings = [line for line in settings if OF_A_LONG_RUN not in line]
    (folder / "zensical.toml").write_text("".join(settings))
    zensical = Path(sys.executable).with_name("zensical")
    subprocess.run([zensical, "build", "--strict"], cwd=folder, check=True)
    return folder / "out"


if __name__ == "__main__":
    print(build(Path(sys.argv[1]) if len(sys.argv) > 1 else CACHE / "site") / "index.html")
