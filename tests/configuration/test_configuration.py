"""Arguments, variables, fallbacks and defaults; what is wrong is said and never raised."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from otel_arthur.configuration import DEFAULT_ENDPOINT, PROTECTED, SETTINGS, Configuration, Route
from otel_arthur.inference.redaction.redactors import redactor_of


def read(**environ: str) -> Configuration:
    return Configuration.from_environment(environ)


def test_defaults() -> None:
    configuration = read()

    assert configuration.endpoint == DEFAULT_ENDPOINT
    assert configuration.timeout == 10
    assert configuration.spool_dir is not None
    assert configuration.problems == ()


def test_argument_then_own_variable_then_arthurs_then_default() -> None:
    environ = {"ARTHUR_MODEL_ID": "sdk", "OTEL_EXPORTER_ARTHUR_MODEL_ID": "own"}

    assert Configuration.from_environment(environ, model_id="argument").model_id == "argument"
    assert Configuration.from_environment(environ).model_id == "own"
    assert read(ARTHUR_MODEL_ID="sdk").model_id == "sdk"
    assert read(ARTHUR_ENDPOINT_URL="https://arthur.example").endpoint == "https://arthur.example"
    assert read(VERIFY_SSL="false").insecure is True
    assert read(VERIFY_SSL="false", OTEL_EXPORTER_ARTHUR_INSECURE="false").insecure is False


def test_an_empty_value_is_unset() -> None:
    configuration = read(OTEL_EXPORTER_ARTHUR_MODEL_ID="  ", OTEL_EXPORTER_ARTHUR_TIMEOUT="")

    assert configuration.model_id is None
    assert configuration.timeout == 10
    assert configuration.problems == ()


@pytest.mark.parametrize(
    ("name", "value", "field", "default"),
    [
        ("MODEL_ID", "\udcff", "model_id", None),
        ("SPOOL_MAX_MB", "inf", "spool_max_bytes", 512 * 1024**2),
        ("TIMEOUT", "soon", "timeout", 10.0),
        ("TIMEOUT", "-1", "timeout", 10.0),
        ("TIMEOUT", "nan", "timeout", 10.0),
        ("COMPRESSION", "brotli", "compression", "none"),
        ("SPOOL_MAX_MB", "lots", "spool_max_bytes", 512 * 1024**2),
        ("INPUT_FORMAT", "xml", "input_format", "transcript"),
        ("SAMPLE_RATIO", "2", "sample_ratio", 1.0),
        ("ERRORS", "ignore", "errors", "auto"),
        ("MODELS", "nonsense", "routes", ()),
        ("ATTRIBUTES", "tenant", "attributes", {}),
        ("API_KEY_FILE", "/no/such/file", "api_key", None),
    ],
)
def test_a_bad_value_is_a_warning_that_names_it_and_the_default(
    name: str, value: str, field: str, default: object
) -> None:
    configuration = read(**{f"OTEL_EXPORTER_ARTHUR_{name}": value})

    assert getattr(configuration, field) == default
    (problem,) = configuration.problems
    assert str(problem).startswith(f"OTEL_EXPORTER_ARTHUR_{name} is ignored: it ")
    assert "s3cret" not in str(problem)
    assert configuration.problems_with(name.lower()) == (problem,)
    assert configuration.problems_with("likelihoods") == ()


@pytest.mark.parametrize(
    ("name", "value", "field", "held"),
    [
        ("ENDPOINT", "app.arthur.ai", "endpoint", ""),
        ("ENDPOINT", "http://host:port", "endpoint", ""),
        ("ENDPOINT", "ftp://x", "endpoint", ""),
        ("ENDPOINT", "https://user:s3cret@host", "endpoint", ""),
        ("ENDPOINT", "https://app.arthur .ai", "endpoint", ""),
        ("ENDPOINT", 'https://app.arthur.ai"', "endpoint", ""),
        ("ENDPOINT", "https://", "endpoint", ""),
        ("ENDPOINT", "http://arthur.example", "endpoint", ""),
        ("CERTIFICATE", "~nobody-of-this-name/ca.pem", "certificate", None),
        ("INSECURE", "perhaps", "insecure", False),
        ("CONTENT", "metdata", "content", "metadata"),
    ],
)
def test_a_bad_value_that_says_where_prompts_go_is_not_the_default(
    name: str, value: str, field: str, held: object
) -> None:
    configuration = read(
        **{f"OTEL_EXPORTER_ARTHUR_{name}": value, "ARTHUR_ENDPOINT_URL": "https://another.example"}
    )

    assert getattr(configuration, field) == held
    (problem,) = configuration.unusable
    assert str(problem).startswith(f"OTEL_EXPORTER_ARTHUR_{name} cannot be used: it ")
    assert "s3cret" not in str(problem)
    assert configuration.problems_with(field) == (problem,)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://arthur.example:8443/base/",
        "http://127.0.0.1:1",
        "http://[::1]:80",
        "http://arthur.localhost",
        "https://b\u00fccher.example",
    ],
)
def test_endpoints_of_every_usable_form(endpoint: str) -> None:
    configuration = read(OTEL_EXPORTER_ARTHUR_ENDPOINT=endpoint)

    assert configuration.problems == ()
    assert configuration.endpoint == endpoint.rstrip("/")


@pytest.mark.parametrize(
    "allowed", [{"OTEL_EXPORTER_ARTHUR_INSECURE": "true"}, {"VERIFY_SSL": "false"}], ids=" ".join
)
def test_an_endpoint_in_the_clear_is_one_line_unless_it_is_allowed(allowed: dict[str, str]) -> None:
    clear = {"ARTHUR_ENDPOINT_URL": "http://10.0.0.1:8080/"}

    assert read(**clear, **allowed).endpoint == "http://10.0.0.1:8080"
    assert read(**clear, **allowed).problems == ()
    (problem,) = read(**clear).unusable
    assert str(problem) == (
        "ARTHUR_ENDPOINT_URL cannot be used: it would send keys and prompts in the clear; "
        "use https://, or set insecure to true (OTEL_EXPORTER_ARTHUR_INSECURE)"
    )


def test_a_bad_spool_folder_is_the_default() -> None:
    for value in ("~nobody-of-this-name/spool", "a\0b"):
        configuration = read(OTEL_EXPORTER_ARTHUR_SPOOL_DIR=value)
        assert configuration.spool_dir == read().spool_dir
        assert len(configuration.problems) == 1


def test_what_is_bad_is_not_replaced_by_something_of_another_meaning() -> None:
    assert read(VERIFY_SSL="false", OTEL_EXPORTER_ARTHUR_INSECURE="perhaps").insecure is False


def test_lists_and_files(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("s3cret\n")
    configuration = read(
        OTEL_EXPORTER_ARTHUR_MODELS="support-*=1111, gpt-4o*=2222",
        OTEL_EXPORTER_ARTHUR_ATTRIBUTES="tenant=app.tenant",
        OTEL_EXPORTER_ARTHUR_API_KEY_FILE=str(key),
        OTEL_EXPORTER_ARTHUR_SPOOL_DIR="off",
    )

    assert configuration.routes == (Route("support-*", "1111"), Route("gpt-4o*", "2222"))
    assert configuration.attributes == {"tenant": "app.tenant"}
    assert configuration.api_key == "s3cret"
    assert configuration.spool_dir is None


def test_arguments_may_be_the_text_of_the_variable() -> None:
    configuration = Configuration.from_environment({}, models="a=1", attributes="x=y", spool_dir="off")

    assert configuration.routes == (Route("a", "1"),)
    assert configuration.attributes == {"x": "y"}
    assert configuration.spool_dir is None


ARGUMENTS = {
    "endpoint": ("https://arthur.example", "https://arthur.example"),
    "models": ({"a": "1"}, (Route("a", "1"),)),
    "timeout": (5, 5.0),
    "insecure": (True, True),
    "spool_dir": (Path("/tmp/x"), Path("/tmp/x")),
    "spool_max_mb": (1.5, 1572864),
    "spool_max_age": ("60", 60.0),
    "max_text_length": (10, 10),
    "duplicate_window": (0, 0.0),
    "attributes": ({"x": "y"}, {"x": "y"}),
    "redact": (["email", "card"], ("email", "card")),
    "sample_ratio": ("0.5", 0.5),
    "likelihoods": ("true", True),
    "certificate": (Path("/tmp/ca.pem"), "/tmp/ca.pem"),
}
FIELDS = {"models": "routes", "spool_max_mb": "spool_max_bytes"}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_may_be_of_the_fields_own_kind(name: str) -> None:
    given, meant = ARGUMENTS[name]
    configuration = Configuration.from_environment({}, **{name: given})

    assert configuration.problems == ()
    assert getattr(configuration, FIELDS.get(name, name)) == meant


@pytest.mark.parametrize("words", ["false", "no", "0", "off", "FALSE"])
def test_a_text_that_says_false_does_not_switch_verification_off(words: str) -> None:
    assert Configuration.from_environment({}, insecure=words).insecure is False


EVERY_ARGUMENT = tuple(setting.name for setting in SETTINGS)


@pytest.mark.parametrize("name", EVERY_ARGUMENT)
@pytest.mark.parametrize(
    "value", [object(), b"s3cret", {1: 2}, ["a", 1], float("nan"), "\ud800"], ids=range(6)
)
def test_an_argument_of_a_wrong_kind_is_one_line_and_not_given(name: str, value: object) -> None:
    field = next(setting.field for setting in SETTINGS if setting.name == name)
    configuration = Configuration.from_environment({}, **{name: value})
    is_engine = name.startswith("engine_")

    (problem,) = configuration.problems
    is_protected = name in PROTECTED and (not is_engine or name == "engine_endpoint")
    verdict = "cannot be used" if is_protected else "is ignored"
    assert str(problem).startswith(f"argument {name} {verdict}: it ")
    assert "s3cret" not in str(problem)
    assert configuration.problems_with(name) == (problem,)
    if is_engine:
        assert (configuration.engine is not None) == is_protected
    elif not is_protected:
        assert getattr(configuration, field) == getattr(Configuration.from_environment({}), field)


@pytest.mark.parametrize("name", EVERY_ARGUMENT)
def test_an_empty_argument_is_unset(name: str) -> None:
    assert Configuration.from_environment({}, **{name: "  "}) == Configuration.from_environment({})


def test_an_unusable_redactor_keeps_texts_back() -> None:
    redact = redactor_of(Configuration.from_environment({}, redact=len).redact)

    assert redact is not None
    assert "me@example.org" not in redact("me@example.org")


def test_what_is_missing_is_said_in_one_line() -> None:
    missing = read().missing
    assert missing is not None
    assert "OTEL_EXPORTER_ARTHUR_API_KEY" in missing
    assert "otel-arthur onboard" in missing
    assert read(ARTHUR_API_KEY="k", ARTHUR_MODEL_ID="m").missing is None
    assert read(ARTHUR_LOGIN="l", ARTHUR_PASSWORD="p", ARTHUR_MODEL_ID="m").missing is None


def test_secrets_are_not_in_the_repr() -> None:
    shown = repr(read(ARTHUR_API_KEY="s3cret-key", ARTHUR_LOGIN="me", ARTHUR_PASSWORD="s3cret-word"))

    assert "s3cret" not in shown


def test_one_parser_for_all_ways_to_give_a_value() -> None:
    assert read(OTEL_EXPORTER_ARTHUR_TIMEOUT="500ms").timeout == 0.5
    assert read(OTEL_EXPORTER_ARTHUR_SPOOL_MAX_AGE="5m").spool_max_age == 300
    assert Configuration.from_environment({}, timeout="2m").timeout == 120


def test_our_key_file_comes_before_the_sdk_s_variable(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("ours")
    file = str(tmp_path / "key")

    assert read(OTEL_EXPORTER_ARTHUR_API_KEY_FILE=file, ARTHUR_API_KEY="another").api_key == "ours"
    assert Configuration.from_environment({"ARTHUR_API_KEY": "another"}, api_key_file=file).api_key == "ours"


@pytest.mark.parametrize("file", ["/dev/zero", "/dev/null", "/", "a-pipe", "too-large", "not-utf-8"])
def test_a_key_file_that_has_no_end_or_no_key_is_one_line(file: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a-pipe")
    (tmp_path / "too-large").write_bytes(b"k" * 70_000)
    (tmp_path / "not-utf-8").write_bytes(b"\xff\xfe")
    configuration = read(OTEL_EXPORTER_ARTHUR_API_KEY_FILE=str(tmp_path / file))

    assert configuration.api_key is None
    assert len(configuration.problems) == 1
