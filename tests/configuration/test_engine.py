"""Which target calls go to, and with which key: the Arthur Engine, the v3 platform, or both."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from otel_arthur import ArthurSpanExporter
from otel_arthur.configuration import Configuration, EngineConfiguration

OWN_NAMES = {"ARTHUR_BASE_URL": "https://engine.example", "ARTHUR_API_KEY": "k", "ARTHUR_TASK_ID": "t"}
"""What Arthur's own users of the Engine have set already."""
PREFIX = "OTEL_EXPORTER_ARTHUR_"


def read(environ: dict[str, str], **arguments: object) -> Configuration:
    return Configuration.from_environment(environ, **arguments)


def test_the_names_of_arthur_s_own_users_are_enough() -> None:
    configuration = read(OWN_NAMES)

    assert configuration.engine == EngineConfiguration(
        endpoint="https://engine.example", api_key="k", task_id="t", spans="traces", remote_parent="cut"
    )
    assert not configuration.is_v3_target
    assert configuration.problems == ()
    assert configuration.notes == ()
    # The key is the Engine's: `onboard` must not take it to the v3 platform.
    assert configuration.api_key is None


V3 = [
    {f"{PREFIX}MODEL_ID": "m"},
    {f"{PREFIX}MODELS": "a=m"},
    {f"{PREFIX}ENDPOINT": "https://v3.example"},
    {f"{PREFIX}ENDPOINT": "unusable"},
    {f"{PREFIX}MODELS": "unusable"},
    {"ARTHUR_MODEL_ID": "m"},
    {"ARTHUR_ENDPOINT_URL": "https://v3.example"},
]


@pytest.mark.parametrize("v3", V3, ids=lambda v3: "=".join(*v3.items()))
def test_where_v3_is_a_target_no_name_of_arthur_s_makes_the_engine_one(v3: dict[str, str]) -> None:
    configuration = read({**OWN_NAMES, **v3})

    assert configuration.engine is None
    assert configuration.is_v3_target
    assert configuration.api_key == "k"
    (note,) = configuration.notes
    assert "ARTHUR_BASE_URL" in note
    assert f"{PREFIX}ENGINE_ENDPOINT" in note


@pytest.mark.parametrize(
    "argument", [{"model_id": "m"}, {"models": {"a": "m"}}, {"endpoint": "https://v3.example"}]
)
def test_an_argument_makes_v3_a_target_too(argument: dict[str, object]) -> None:
    assert read(OWN_NAMES, **argument).engine is None


def test_both_at_once_each_with_its_own_key() -> None:
    environ = {
        **OWN_NAMES,
        f"{PREFIX}MODEL_ID": "m",
        f"{PREFIX}ENGINE_ENDPOINT": "https://inside.example/",
        f"{PREFIX}ENGINE_API_KEY": "e",
    }
    configuration = read(environ)

    assert configuration.is_v3_target
    assert configuration.engine is not None
    assert (configuration.api_key, configuration.engine.api_key) == ("k", "e")
    assert configuration.engine.endpoint == "https://inside.example"
    assert configuration.engine.task_id == "t"
    assert configuration.notes == ()


def test_the_v3_key_is_not_the_engine_s_beside_v3() -> None:
    configuration = read(
        {**OWN_NAMES, f"{PREFIX}MODEL_ID": "m", f"{PREFIX}ENGINE_ENDPOINT": "https://inside.example"}
    )

    assert configuration.engine is not None
    assert configuration.engine.api_key is None
    assert f"{PREFIX}ENGINE_API_KEY" in str(configuration.engine.missing)


def test_tls_of_the_engine_is_its_own() -> None:
    engine = {f"{PREFIX}ENGINE_INSECURE": "true", f"{PREFIX}ENGINE_CERTIFICATE": "/tmp/ca.pem"}
    configuration = read({**OWN_NAMES, **engine})
    other_way = read({**OWN_NAMES, f"{PREFIX}INSECURE": "true", "VERIFY_SSL": "false"})

    assert (configuration.insecure, configuration.certificate) == (False, None)
    assert configuration.engine is not None
    assert (configuration.engine.insecure, configuration.engine.certificate) == (True, "/tmp/ca.pem")
    assert other_way.engine is not None
    assert not other_way.engine.insecure


def test_arguments_and_a_key_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-a-file\n")
    configuration = read(
        {},
        engine_endpoint="https://engine.example",
        engine_api_key_file=tmp_path / "key",
        engine_spans="calls",
        engine_remote_parent="keep",
        engine_task_id="t",
    )

    assert configuration.engine is not None
    assert configuration.engine.api_key == "from-a-file"
    assert (configuration.engine.spans, configuration.engine.remote_parent) == ("calls", "keep")
    assert "from-a-file" not in repr(configuration)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ARTHUR_BASE_URL", "engine.example"),
        (f"{PREFIX}ENGINE_ENDPOINT", '"https://engine.example"'),
        (f"{PREFIX}ENGINE_INSECURE", "perhaps"),
        ("ARTHUR_BASE_URL", "http://engine.example"),
        (f"{PREFIX}ENGINE_ENDPOINT", "http://engine.example"),
    ],
)
def test_what_cannot_be_used_sends_nothing(name: str, value: str) -> None:
    configuration = read({**OWN_NAMES, name: value})

    (problem,) = configuration.unusable
    assert str(problem).startswith(f"{name} cannot be used: it ")


def test_an_engine_is_reached_in_the_clear_by_its_own_permission_alone() -> None:
    clear = {**OWN_NAMES, "ARTHUR_BASE_URL": "http://engine.example"}

    assert read({**clear, f"{PREFIX}ENGINE_INSECURE": "true"}).unusable == ()
    (problem,) = read({**clear, f"{PREFIX}INSECURE": "true"}).unusable
    assert f"{PREFIX}ENGINE_INSECURE" in str(problem)


def test_what_cannot_be_used_for_no_target_stops_nothing() -> None:
    configuration = read({f"{PREFIX}MODEL_ID": "m", f"{PREFIX}ENGINE_INSECURE": "perhaps"})

    assert configuration.unusable == ()
    assert len(configuration.problems) == 1


def test_a_bad_word_is_the_default() -> None:
    configuration = read({**OWN_NAMES, f"{PREFIX}ENGINE_SPANS": "all"})

    assert configuration.engine is not None
    assert configuration.engine.spans == "traces"
    assert str(*configuration.problems) == f"{PREFIX}ENGINE_SPANS is ignored: it must be traces or calls"


def test_an_object_of_arthur_s_sdk_is_v3() -> None:
    assert Configuration.from_environment(OWN_NAMES, True).engine is None


def test_one_line_says_that_the_engine_is_no_target(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in OWN_NAMES.items():
        monkeypatch.setenv(name, value)
    with caplog.at_level(logging.WARNING, logger="otel_arthur"):
        first = ArthurSpanExporter(model_id="m", endpoint="http://127.0.0.1:9", spool_dir=tmp_path)
        second = ArthurSpanExporter(model_id="n", endpoint="http://127.0.0.1:9", spool_dir=tmp_path)
        first.shutdown()
        second.shutdown()

    assert sum("ARTHUR_BASE_URL" in record.getMessage() for record in caplog.records) == 1
