"""The lines of docs/frameworks, run as they stand there: install, start, and one call that must arrive whole.

    python -m tests.documentation.started              # `make started`: all pages, with the newest packages
    python -m tests.documentation.started openai …     # these

Each install line gets an environment of its own below ``.cache/started/``, and each start a local Arthur.
What came of them is the last paragraph of the page. `test_started.py` runs those in each `make test` of which
an environment is there anyway.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

import click

from otel_arthur.arthur.onboarding import model_request
from otel_arthur.local.server import LocalArthur
from tests.documentation.applications import ANSWER, APPLICATIONS, Application
from tests.support.paths import CACHE, ROOT
from tests.support.processes.running import finished
from tests.support.servers.account import onboarded
from tests.support.servers.providers.openai_server import OpenAIServer

PAGES: Final = ROOT / "docs" / "frameworks"
RUN: Final = "Run with `make started` on "
_FENCE: Final = re.compile(r"^```(console|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FOR: Final = re.compile(r"# for (.+)")


class Way(NamedTuple):
    """One way through a page: a line that installs, and what starts the application."""

    install: str
    """What ``pip install`` is given."""
    command: str
    setup: str
    """Python that stands before the application's own."""

    @property
    def starts_in_code(self) -> bool:
        return bool(self.setup)


def ways(application: Application) -> Iterator[Way]:
    """Every install line of the page with every start of it, for one of the page's applications."""
    text = (PAGES / f"{application.page}.md").read_text(encoding="utf-8")
    _, install, start = re.split(r"^## (?:Install|Start)$", text, maxsplit=2, flags=re.MULTILINE)
    start = start.partition("\n## ")[0]
    lines = [line.removeprefix("$ pip install ") for line in install.splitlines() if "$ pip install" in line]
    for line in lines:
        for language, block in _FENCE.findall(start):
            # A line or a block that is for some applications of the page says which.
            for words in (line, block):
                if (of := _FOR.search(words)) and application.name and application.name not in of[1]:
                    break
            else:
                if language == "python":
                    yield Way(line.partition(" #")[0], "python app.py", block)
                else:
                    yield Way(
                        line.partition(" #")[0], block.partition(" #")[0].removeprefix("$ ").strip(), ""
                    )


def start(application: Application, way: Way, python: Path, folder: Path) -> str:
    """Run an application in `folder`; what is wrong, or an empty text where its call arrived whole."""
    (folder / "app.py").write_text(f"{way.setup}\n{application.code}\n", encoding="utf-8")
    with LocalArthur() as arthur, OpenAIServer() as server:
        model_id = onboarded(arthur, model_request("started"))
        environ = {
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "OPENAI_BASE_URL": server.base_url,
            "OPENAI_API_KEY": "test",
            "ANTHROPIC_BASE_URL": server.base_url.removesuffix("/v1"),
            "ANTHROPIC_API_KEY": "test",
            "OTEL_EXPORTER_ARTHUR_ENDPOINT": arthur.url,
            "OTEL_EXPORTER_ARTHUR_API_KEY": arthur.api_key,
            "OTEL_EXPORTER_ARTHUR_MODEL_ID": model_id,
            "OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW": "0",
            **application.environ,
        }
        done = finished(["sh", "-c", way.command], env=environ, cwd=folder)
        if done.returncode:
            return f"it ended with {done.returncode}: {(done.stderr.strip().splitlines() or [''])[-1][:300]}"
        rows = arthur.store.inferences(model_id, limit=10).inferences
        answers = [row.inference_data["output_text"] for row in rows]
        asked = [ANSWER in row.inference_data["input_text"] for row in rows]
        return "" if answers == [ANSWER] and all(asked) else f"what arrived was {answers}"


def environment(application: Application, way: Way) -> Path:
    """A new environment with what the page installs and what the application needs; its interpreter."""
    name = re.sub(r"\W+", "-", f"{application.page} {application.name} {way.install}").strip("-")
    python = CACHE / "started" / name / "bin" / "python"
    uv = [sys.executable, "-m", "uv"]
    given = [part.replace("otel-arthur", str(ROOT)) for part in shlex.split(way.install)]
    install = [*uv, "pip", "install", "--quiet", "--python", str(python)]
    for command in (
        [*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(python.parent.parent)],
        [*install, *application.packages],  # an application is there before Arthur is
        [*install, *given],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise click.ClickException(f"`pip install {way.install}` failed: {done.stderr.strip()[-300:]}")
    return python


def versions(application: Application, way: Way, python: Path) -> list[str]:
    """As in "openai 3.57.0", of what the application and the page name."""
    listed = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "list", "--quiet", "--format", "freeze", "--python", str(python)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = dict(line.split("==") for line in listed.splitlines() if "==" in line)
    named = [part.partition("[")[0] for part in (*application.packages, *shlex.split(way.install))]
    return [f"{name} {found[name]}" for name in named if name in found and name != "otel-arthur"]


def told(page: str) -> str:
    """The last paragraph of a page, after all of its ways were tried."""
    seen: dict[str, None] = {}
    wrong: list[str] = []
    for application in APPLICATIONS:
        if application.page != page:
            continue
        places: dict[str, Path] = {}
        for way in ways(application):
            try:
                if way.install not in places:
                    places[way.install] = environment(application, way)
                python = places[way.install]
                with tempfile.TemporaryDirectory() as folder:
                    problem = start(application, way, python, Path(folder))
                seen |= dict.fromkeys(versions(application, way, python))
            except (click.ClickException, subprocess.TimeoutExpired) as error:
                problem = str(error)
            how = "in code" if way.starts_in_code else "by the command"
            click.echo(f"{page} {application.name} {way.install} {how}: {problem or 'arrived'}")
            if problem:
                wrong.append(f"{application.name or way.install} {how}: {problem}")
    outcome = "each line above made its inference" if not wrong else f"not all lines: {'; '.join(wrong)}"
    return f"{RUN}{date.today()} ({', '.join(seen)}): {outcome}."


@click.command()
@click.argument("pages", nargs=-1)
def main(pages: tuple[str, ...]) -> None:
    """Runs the lines of PAGES, or of all, and writes what came of them to their ends."""
    for page in dict.fromkeys(one.page for one in APPLICATIONS):
        if not pages or page in pages:
            path = PAGES / f"{page}.md"
            kept = path.read_text(encoding="utf-8").partition(f"\n{RUN}")[0].rstrip()
            path.write_text(f"{kept}\n\n{told(page)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
