"""What is bad in variables and options is one line that names it, never passed over, where it matters."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from otel_arthur.arthur.onboarding import model_request
from otel_arthur.local.server import LocalArthur
from tests.support.paths import CAPTURES, ROOT
from tests.support.processes.running import finished
from tests.support.servers.account import onboarded

SPANS = CAPTURES / "genai-langchain-1.3b0" / "span_only" / "a_invoke.pb"
MISSING_FOLDER = "no-such-folder"


@pytest.fixture
def settings(arthur: LocalArthur, tmp_path: Path) -> dict[str, str]:
    """Everything right."""
    model_id = onboarded(arthur, model_request("bot", {"tenant": "STRING"}))
    values = {
        "ENDPOINT": arthur.url,
        "API_KEY": arthur.api_key,
        "MODEL_ID": model_id,
        "SPOOL_DIR": str(tmp_path / "spool"),
    }
    return {f"OTEL_EXPORTER_ARTHUR_{name}": value for name, value in values.items()}


def run(settings: dict[str, str], *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if "ARTHUR" not in name}
    changed = {f"OTEL_EXPORTER_ARTHUR_{name}": value for name, value in changed.items()}
    return finished(
        [sys.executable, "-m", "otel_arthur", *arguments],
        env={**environ, "COLUMNS": "200", **settings, **changed},
    )


REFUSED = [
    (("onboard", "x"), "ENDPOINT", "ftp://x"),
    (("onboard", "x"), "TIMEOUT", "soon"),
    (("check",), "ENDPOINT", "https://user:s3cret@host"),
    (("check",), "API_KEY", "s3cret\u00e9"),
    (("inspect", str(SPANS)), "INPUT_FORMAT", "zz"),
    (("inspect", str(SPANS)), "REDACT", "zz"),
    (("inspect", str(SPANS)), "REDCAT", "email"),
    (("check",), "ENDPIONT", "https://inside.example"),
    (("inspect", str(SPANS), "--model", "m"), "ENDPOINT", "zz"),
    (("replay", str(SPANS)), "REDACT", "zz"),
    (("replay", str(SPANS)), "SAMPLE_RATIO", "7"),
    (("replay", str(SPANS)), "SPOOL_DIR", str(SPANS)),
    (("ground-truth", str(SPANS)), "MODELS", "zz"),
    (("spool", "drain"), "ENDPOINT", "zz"),
]


@pytest.mark.parametrize(("arguments", "variable", "value"), REFUSED)
def test_a_bad_variable_is_refused(
    settings: dict[str, str], arguments: tuple[str, ...], variable: str, value: str
) -> None:
    done = run(settings, *arguments, **{variable: value})

    assert done.returncode == 2, done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert f"OTEL_EXPORTER_ARTHUR_{variable}" in line
    assert "s3cret" not in done.stdout + done.stderr


def test_a_bad_variable_that_does_not_matter_is_passed_over(settings: dict[str, str]) -> None:
    done = run(settings, "inspect", str(SPANS), TIMEOUT="soon", ENDPOINT="zz")

    assert done.returncode == 0, done.stderr


def test_two_bad_variables_are_two_lines(settings: dict[str, str]) -> None:
    done = run(settings, "spool", "drain", TIMEOUT="soon", ENDPOINT="zz")

    assert done.returncode == 2
    first, second = done.stderr.splitlines()
    assert "ENDPOINT" in first
    assert "TIMEOUT" in second


@pytest.mark.parametrize(
    "arguments",
    [
        ("onboard", "x", "--endpoint", "ftp://x"),
        ("onboard", "x", "--endpoint", ""),
        ("onboard", "x", "--endpoint", "https://user:s3cret@host"),
        ("onboard", "x", "--wait", "nan"),
        ("replay", str(SPANS), "--patience", "inf"),
        ("inspect", str(SPANS), "--model", ""),
        ("ground-truth", str(SPANS), "--model", ""),
        ("ground-truth", str(SPANS), "--timeout", "nan"),
        ("local", "--db", f"{MISSING_FOLDER}/arthur.db"),
        ("local", "--db", ""),
        ("collector", "--config", str(SPANS.parent)),
    ],
)
def test_a_bad_option_is_one_line_and_nothing_is_done(
    arthur: LocalArthur, settings: dict[str, str], arguments: tuple[str, ...]
) -> None:
    done = run(settings, *arguments)

    assert done.returncode == 2, done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "s3cret" not in done.stderr
    assert len(arthur.store.models()) == 1
    assert not Path(MISSING_FOLDER).exists()


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("REDACT", "bogus", "the redactor bogus cannot be used"),
        ("ATTRIBUTES", "foo=bar", "fills foo, which no model has"),
        ("TIMEOUT", "soon", "it must be a number of seconds"),
        ("REDCAT", "email", "did you mean OTEL_EXPORTER_ARTHUR_REDACT?"),
        ("NONSENSE", "1", "it is not a setting"),
    ],
)
def test_check_says_what_the_exporter_would_do_without(
    settings: dict[str, str], variable: str, value: str, said: str
) -> None:
    assert run(settings, "check", REDACT="email", ATTRIBUTES="tenant=app.tenant").returncode == 0
    done = run(settings, "check", **{variable: value})

    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert f"OTEL_EXPORTER_ARTHUR_{variable}" in line
    assert said in line
    assert "output_text" in done.stdout  # The rest is checked all the same.


def test_ground_truth_that_the_model_does_not_take_is_explained(
    settings: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "truth.jsonl"
    file.write_text('{"partner_inference_id": "x", "expected_text": "SECRET"}\n')
    done = run(settings, "ground-truth", str(file))

    assert done.returncode == 2
    assert "no ground truth attribute 'expected_text'" in done.stderr
    assert "--ground-truth" in done.stderr
    assert "SECRET" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [(("demo",), "demo"), (("local",), "local"), (("collector", "--config", "x"), "collector")],
)
def test_a_missing_extra_is_named(
    settings: dict[str, str], tmp_path: Path, arguments: tuple[str, ...], extra: str
) -> None:
    """In an interpreter that has what we depend on, and nothing of the extras."""
    interpreter = tmp_path / "environment" / "bin" / "python"
    venv.create(tmp_path / "environment", symlinks=True)
    packages = Path(click_folder()).parent
    bare = tmp_path / "packages"
    bare.mkdir()
    kept = ("click", "rich", "orjson", "opentelemetry", "google", "platformdirs", "requests", "pygments")
    for name in (*kept, "markdown_it", "mdurl", "tenacity", "msgspec", "typing_extensions.py"):
        (bare / name).symlink_to(packages / name)
    (bare / "otel_arthur").symlink_to(ROOT / "otel_arthur")
    environ = {"PYTHONPATH": str(bare), "PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = finished([str(interpreter), "-m", "otel_arthur", *arguments], env=environ, cwd=tmp_path)

    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert f"pip install 'otel-arthur[{extra}]'" in line


def click_folder() -> str:
    import click

    return str(Path(click.__file__).parent)
