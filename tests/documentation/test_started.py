"""The lines of docs/frameworks, in the environments that are there anyway; `make started` runs them all."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.documentation.applications import APPLICATIONS, Application
from tests.documentation.started import PAGES, RUN, Way, start, ways
from tests.support.environments.tiers import needs, python_of
from tests.support.paths import ROOT

SESSIONS = {
    "opentelemetry-instrumentation-openai": "examples(openllmetry)",
    "openinference-instrumentation-openai": "examples(openinference)",
    "opentelemetry-instrumentation-genai-openai": "instrumentations",
}
"""Package of an install line of OpenAI's page -> the environment that has it."""


def cases() -> list[object]:
    found: list[object] = []
    for application in APPLICATIONS:
        for way in ways(application):
            named = f"{application.page} {way.install.split()[-1]} {'code' if way.setup else 'command'}"
            if application.page == "langchain":
                found.append(pytest.param(application, way, "", id=named, marks=pytest.mark.slow))
            # The environment of OpenTelemetry's packages has a distro beside ours, which no page installs.
            elif application.page == "openai" and not (
                way.command != "python app.py" and "genai" in way.install
            ):
                session = SESSIONS[way.install.split()[-1]]
                marks = needs(session, "instrumentations")
                found.append(pytest.param(application, way, session, id=named, marks=marks))
            elif application.page == "pydantic-ai":
                session = "examples(pydantic-ai)"
                found.append(
                    pytest.param(
                        application, way, session, id=named, marks=needs(session, "instrumentations")
                    )
                )
    return found


@pytest.mark.parametrize(("application", "way", "session"), cases())
def test_a_page_s_lines_bring_a_call_to_arthur(
    application: Application, way: Way, session: str, tmp_path: Path
) -> None:
    python = python_of(session) if session else Path(sys.executable)
    here = {"PYTHONPATH": str(ROOT), **application.environ}
    assert start(replace(application, environ=here), way, python, tmp_path) == ""


def test_each_page_says_whether_its_lines_were_run() -> None:
    for path in PAGES.glob("*.md"):
        last = path.read_text(encoding="utf-8").rstrip().rpartition("\n\n")[2]
        is_run = path.stem in {application.page for application in APPLICATIONS}
        if is_run:
            assert re.match(rf"{RUN}\d{{4}}-\d\d-\d\d \(.+\): each line above made its inference\.$", last), (
                path.name
            )
        elif path.stem != "README":
            assert last.startswith("Not run: "), path.name


def test_the_switches_of_the_applications_are_those_of_their_pages() -> None:
    for application in APPLICATIONS:
        page = (PAGES / f"{application.page}.md").read_text(encoding="utf-8")
        assert [name for name in application.environ if name not in page] == []
