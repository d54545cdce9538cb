"""``otel-arthur check`` on what names our exporter: variables, or the file of ``OTEL_CONFIG_FILE``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from otel_arthur.cli.commands.check.report import Report
from otel_arthur.cli.commands.check.variables import examine_variables, examine_way
from otel_arthur.configuration import Configuration
from otel_arthur.local.server import LocalArthur
from tests.cli.check.test_doctor import check
from tests.support.servers.account import onboarded

FILE = """
file_format: "1.0"
tracer_provider:
  processors:
    - batch: {exporter: {arthur: {api_key: s3cret}}}
"""


def found(topic: str) -> list[tuple[str | None, ...]]:
    """Level, text and next step of the findings of a topic."""
    report = Report(as_json=True)
    examine_variables(report)
    examine_way(report, Configuration.from_environment())
    return [(one["level"], one["text"], one["next"]) for one in report.findings if one["topic"] == topic]


@pytest.mark.parametrize("name", ["athur", "Arthur", "arthurs"])
@pytest.mark.parametrize("variable", ["OTEL_TRACES_EXPORTER", "OTEL_LOGS_EXPORTER"])
def test_an_exporter_that_is_nearly_arthur_is_red(
    monkeypatch: pytest.MonkeyPatch, variable: str, name: str
) -> None:
    monkeypatch.setenv(variable, f"console, {name}")

    assert found("exporter") == [
        (
            "red",
            f"{variable} names {name}, which is no exporter; did you mean arthur?",
            f"export {variable}=console,arthur",
        )
    ]


def test_a_misspelt_exporter_ends_the_check_as_every_fault(arthur: LocalArthur, tmp_path: Path) -> None:
    code, answer, _ = check(tmp_path, arthur, OTEL_TRACES_EXPORTER="athur")

    assert (code, answer["level"]) == (1, "red")


def test_another_exporter_that_is_not_there_is_a_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "arthur,nowhere")

    assert [level for level, _, _ in found("exporter")] == ["green", "yellow"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "is not there"),
        ("", "Configuration file is empty"),
        (FILE.replace("]", "") + "  api_key: [s3cret", "line 6: "),
        (FILE + "logger_provider: [s3cret]", "logger_provider: must be of type object"),
        (FILE.replace('file_format: "1.0"', ""), "the file: 'file_format' is a required property"),
        ("[s3cret]", "must be a mapping"),
    ],
    ids=["missing", "empty", "no yaml", "a wrong type", "no format", "a list"],
)
def test_a_configuration_file_that_cannot_be_used_is_red(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    content: str | None,
    said: str,
) -> None:
    path = tmp_path / "otel.yaml"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("OTEL_CONFIG_FILE", str(path))
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "arthur")

    ((level, text, _),) = found("exporter")
    assert level == "red"
    assert text is not None
    assert f"OTEL_CONFIG_FILE: {path} " in text
    assert said in text
    assert len(text.splitlines()) == 1
    assert "s3cret" not in text + "".join(capfd.readouterr())


def test_a_configuration_file_decides_and_not_the_variables(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "otel.yaml"
    path.write_text(FILE)
    monkeypatch.setenv("OTEL_CONFIG_FILE", str(path))
    assert found("exporter") == [("green", f"OTEL_CONFIG_FILE names arthur, in {path}", None)]
    path.write_text(FILE.replace("arthur: {api_key: s3cret}", "console: {}"))
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "arthur")
    ((level, text, _),) = found("exporter")
    assert level == "yellow"
    assert f"{path} has no exporter arthur" in str(text)


def test_the_settings_of_the_file_are_those_that_are_checked(arthur: LocalArthur, tmp_path: Path) -> None:
    path, spool = tmp_path / "otel.yaml", tmp_path / "spool"
    settings = {
        "endpoint": arthur.url,
        "api_key": arthur.api_key,
        "model_id": onboarded(arthur),
        "spool_dir": str(spool),
    }
    # JSON is YAML.
    path.write_text(FILE.replace("{api_key: s3cret}", json.dumps(settings)))
    code, answer, findings = check(tmp_path, OTEL_CONFIG_FILE=str(path))
    assert (code, answer["level"]) == (0, "green"), findings
    assert findings["endpoint"] == [("green", arthur.url, None)]
    assert str(spool) in findings["spool"][0][1]

    settings |= {"endpoint": "nowhere", "spool_dri": "x"}
    path.write_text(FILE.replace("{api_key: s3cret}", json.dumps(settings)))
    code, answer, findings = check(tmp_path, OTEL_CONFIG_FILE=str(path))
    assert code == 2
    assert any(f"endpoint in {path}: " in text for _, text, _ in findings["configuration"])
    assert arthur.api_key not in json.dumps(answer)


@pytest.mark.parametrize(("value", "is_said"), [("metadata", True), ("metdata", False)])
def test_content_that_was_never_set_is_not_said(
    monkeypatch: pytest.MonkeyPatch, value: str, is_said: bool
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_ARTHUR_CONTENT", value)

    assert any("sends no words" in str(text) for _, text, _ in found("content")) is is_said
