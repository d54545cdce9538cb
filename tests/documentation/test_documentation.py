"""The documentation: its site has no dead link, what is made of the code is true, and its steps work."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import kubernetes_validate
import pytest
import yaml

from noxfile import CAPTURED
from otel_arthur.cli import cli
from otel_arthur.configuration import SETTINGS
from otel_arthur.local.server import LocalArthur
from otel_arthur.sdk.setup.instrumentations import LIBRARIES
from tests.distribution import pages
from tests.documentation.links import faults
from tests.documentation.reference import commands_of, files
from tests.support.environments.tiers import needs, python_of
from tests.support.paths import ROOT
from tests.support.servers.providers.openai_server import OpenAIServer
from tests.support.waiting import PATIENCE

DOCS = ROOT / "docs"
OURS = {"otel-arthur", "opentelemetry-instrumentation", "llama-index-multi-modal-llms-openai"} | {
    "opentelemetry-instrumentation-logging"
}


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_what_is_made_of_the_code_is_true(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == files()[path], "run `make tables`"


def test_every_page_is_in_the_navigation() -> None:
    navigation = (DOCS / "zensical.toml").read_text()
    pages = [path.relative_to(ROOT).as_posix() for path in DOCS.rglob("*.md")]
    assert [page for page in pages if f'"{page}"' not in navigation] == []


def test_the_packages_of_the_frameworks_are_known() -> None:
    """Recorded by a run, or in the doctor's list: a misspelt name would install somebody else's package."""
    known = {re.split(r"[=<>\[]", pin)[0] for pins in CAPTURED.values() for pin in pins}
    known |= OURS | {package for library in LIBRARIES for package in library.recorders}
    for page in (DOCS / "frameworks").glob("*.md"):
        for line in re.findall(r"\$ pip install ([^#\n]+)", page.read_text()):
            packages = {name.strip("'").partition("[")[0] for name in line.split()}
            assert packages <= known, page.name


def test_every_setting_and_command_that_a_page_names_is_there() -> None:
    settings = {setting.variable for setting in SETTINGS}
    options = {name: set(flatten(command)) for name, command in commands_of(cli, "otel-arthur")}
    for page in pages():
        text = page.read_text(encoding="utf-8")
        assert set(re.findall(r"OTEL_EXPORTER_ARTHUR_[A-Z_]*[A-Z]", text)) <= settings, page.name
        for name, rest in re.findall(r"(?:`|\$ |\$\()(otel-arthur [a-z-]+)([^`\n#)|>]*)", text):
            words = f"{name}{rest}".split()
            called = [" ".join(words[:count]) for count in (2, 3, 4)]
            deepest = max((name for name in called if name in options), key=len)
            named = {word.partition("=")[0] for word in words if word.startswith("--")}
            assert named <= options[deepest] | {"--help"}, (page.name, deepest)


def flatten(command: click.Command) -> list[str]:
    return [option for parameter in command.params for option in parameter.opts]


@pytest.mark.parametrize("session", [pytest.param("docs", marks=needs("docs"))])
def test_the_site_has_no_dead_link_and_loads_nothing_from_elsewhere(session: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [python_of(session), "-m", "tests.documentation.site", tmp_path / "site"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(faults(tmp_path / "site" / "out")) == []


def test_a_dead_link_is_told(tmp_path: Path) -> None:
    page = (
        '<link href="https://elsewhere/x.css"><a id="here" href="gone.html"><a href="#here"><a href="#gone">'
    )
    (tmp_path / "index.html").write_text(page)
    assert list(faults(tmp_path)) == [
        "index.html links to gone.html, which is not there",
        "index.html links to #gone, which is not there",
        "index.html loads https://elsewhere/x.css",
    ]


def test_the_pod_of_the_production_guide_fits_the_schemas_of_kubernetes() -> None:
    text = (DOCS / "production.md").read_text(encoding="utf-8")
    (fragment,) = re.findall(r"^## Kubernetes$.*?```yaml\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"}, **yaml.safe_load(fragment)}
    kubernetes_validate.validate(pod, "1.31", strict=True)


def test_the_migration_s_lines_work(arthur: LocalArthur, model_id: str) -> None:
    """What the page adds in the place of the callback handler, with the handler's own four parameters."""
    (diff,) = re.findall(r"```diff\n(.*?)```", (DOCS / "migration.md").read_text(), re.DOTALL)
    added = "".join(f"{line[1:]}\n" for line in diff.splitlines() if line.startswith("+"))
    given = {"MODEL_ID": model_id, "URL": arthur.url, "LOGIN": "local", "PASSWORD": arthur.api_key}
    program = "".join(f"{name} = {value!r}\n" for name, value in given.items())
    program += f"from langchain_openai import ChatOpenAI\n{added}llm.invoke('ECHO moved')\n"
    with OpenAIServer() as server:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "test"},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    (row,) = arthur.store.inferences(model_id, limit=10).inferences
    assert row.inference_data["output_text"] == "moved"
