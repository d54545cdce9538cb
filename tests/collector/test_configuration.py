"""The configuration: the promised form, and errors that name the line, the key and the fix."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from otel_arthur.cli import cli
from otel_arthur.collector.configuration.document import ConfigurationError
from otel_arthur.collector.configuration.sections import CollectorConfiguration, load, parse
from otel_arthur.collector.intake.routing import Router
from otel_arthur.genai.span import SpanView

PROMISED = """
receivers:
  otlp:
    grpc: {endpoint: 127.0.0.1:4317}
    http: {endpoint: 127.0.0.1:4318}
arthur:
  endpoint: https://app.arthur.ai
  api_key: ${env:ARTHUR_API_KEY}
  models:
    - {match: {service.name: "support-*", deployment.environment.name: prod}, model_id: "1111"}
    - {model_id: "2222"}
forward:
  endpoint: http://127.0.0.1:14318      # or grpc://host:port
spool: {directory: ./spool, max_mb: 512, on_full: pass}
health: {endpoint: 127.0.0.1:13133}
metrics: {endpoint: 127.0.0.1:8888}
"""
SMALLEST = "arthur: {api_key: k, models: [{model_id: m}]}\n"
BASE = "arthur:\n  api_key: k\n  models:\n    - model_id: m\n"


def read(content: str, **environ: str) -> CollectorConfiguration:
    return parse("c.yaml", content, environ)


def problems(content: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigurationError) as error:
        read(content, **environ)
    return error.value.problems


def test_the_promised_form() -> None:
    configuration = read(PROMISED, ARTHUR_API_KEY="key")
    assert configuration.arthur.api_key == "key"
    assert configuration.arthur.spool_max_bytes == 512 * 1024 * 1024
    assert configuration.arthur.spool_dir == Path("spool")
    assert configuration.forward is not None
    assert configuration.forward.endpoint == "http://127.0.0.1:14318"
    assert [(route.match, route.model_id) for route in configuration.routes] == [
        ((("service.name", "support-*"), ("deployment.environment.name", "prod")), "1111"),
        ((), "2222"),
    ]
    assert not configuration.refuse_when_full
    assert (str(configuration.health), str(configuration.metrics)) == ("127.0.0.1:13133", "127.0.0.1:8888")


@pytest.mark.parametrize("written", ["0123", "'0123'", '"0123"', "${env:MODEL}", "'${env:MODEL}'"])
def test_ids_are_texts_quoted_or_not(written: str) -> None:
    models = f"arthur:\n  api_key: k\n  models:\n    - model_id: {written}\n"
    configuration = read(models, MODEL="0123")
    assert [route.model_id for route in configuration.routes] == ["0123"]


@pytest.mark.parametrize("written", ["1e3", "0x10", "1_000", "yes", "12:30:00", "2026-11-22", ".5"])
def test_no_id_is_taken_for_a_number_or_a_date(written: str) -> None:
    assert read(f"arthur: {{api_key: k, models: [{{model_id: {written}}}]}}").routes[0].model_id == written


def test_variables_with_defaults_and_dollars() -> None:
    configuration = read(f"{BASE}  login: a$$b\n  organization_id: ${{env:ORG:-o:-1}}\n")
    assert configuration.arthur.login == "a$b"
    assert configuration.arthur.organization_id == "o:-1"
    assert read(f"{BASE}  organization_id: x-${{env:ORG}}\n", ORG="1").arthur.organization_id == "x-1"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "receivers:\n  otpl: {}\n" + SMALLEST,
            "line 2: receivers.otpl is not a key of this section; did you mean otlp?",
        ),
        ("arthur: {api_key: k, models: [{}]}", "line 1: arthur.models[0] needs a model_id"),
        ("arthur: {api_key: k}", "line 1: arthur needs models"),
        ("arthur: {models: [{model_id: m}]}", "line 1: arthur needs an api_key"),
        (f"{BASE}forward: {{}}\n", "line 5: forward needs an endpoint"),
        (f"{BASE}forward: {{endpoint: 'ftp://x'}}\n", "line 5: forward.endpoint must be a URL"),
        (f"{BASE}forward: {{endpoint: 'grpc://x'}}\n", "line 5: forward.endpoint must name a port"),
        (f"{BASE}forward:\n  endpoint: http://u:p@x\n", "line 6: forward.endpoint must not hold a password"),
        (f"{BASE}forward: {{endpoint: 'http://127.0.0.1:4318'}}\n", "is this collector's own receiver"),
        (f"{BASE}spool: {{on_full: maybe}}\n", "line 5: spool.on_full must be pass or refuse"),
        (f"{BASE}spool: {{max_mb: lots}}\n", "line 5: spool.max_mb must be a number of megabytes"),
        (f"{BASE}spool: 7\n", "line 5: spool must be a mapping, not a single value"),
        (f"{BASE}health: {{endpoint: '127.0.0.1:99999'}}\n", "line 5: health.endpoint must end in a port"),
        (f"{BASE}  sample_ratio: 2\n", "line 5: arthur.sample_ratio must be a number from 0 to 1"),
        (f"{BASE}  errors: perhaps\n", "line 5: arthur.errors must be one of auto, skip, send"),
        (f"{BASE}  api_key: again\n", "line 5: arthur.api_key is written twice"),
        (f"{BASE}  login: ${{env:NOBODY}}\n", "line 5: arthur.login needs the environment variable NOBODY"),
        (f"{BASE}  login: ${{file:x}}\n", "line 5: arthur.login has ${file:x}, which is not of the form"),
        (f"{BASE}    - model_id: n\n", "line 5: arthur.models[1] is never reached"),
        ("a: [", "line 1, column 5: not YAML"),
        ("just text", "line 1: the document must be a mapping"),
        (
            f"{BASE}service: {{drain_seconds: soon}}\n",
            "line 5: service.drain_seconds must be a number of seconds",
        ),
        (
            f"{BASE}receivers: {{otlp: {{http: {{tls: {{cert_file: no.pem, key_file: no.pem}}}}}}}}\n",
            "line 5: receivers.otlp.http.tls.cert_file names a file that cannot be read",
        ),
    ],
)
def test_problems_name_line_key_and_fix(content: str, said: str) -> None:
    found = problems(content)
    assert any(said in problem for problem in found), found
    assert all(problem.startswith("c.yaml, line ") for problem in found)


def test_all_problems_at_once_in_order() -> None:
    found = problems("spool: {max_mb: x}\nhealth: {endpoint: y:z}\n")
    lines = [int(problem.split("line ")[1].split(":")[0]) for problem in found]
    assert lines == sorted(lines)
    assert len(found) >= 3


def test_a_value_may_be_written_as_for_the_exporter() -> None:
    arthur = read(
        f"{BASE}  timeout: 500ms\n  duplicate_window: 0\n  insecure: yes\n  redact: email,card\n"
        "  attributes: tenant=app.tenant\n  errors: SKIP\n  max_text_length: 10\n  sample_ratio: 1e-1\n"
        "spool: {max_mb: 0.5, max_age: 2h}\n"
    ).arthur
    assert (arthur.timeout, arthur.duplicate_window, arthur.insecure) == (0.5, 0, True)
    assert (arthur.redact, arthur.attributes) == (("email", "card"), {"tenant": "app.tenant"})
    assert (arthur.errors, arthur.max_text_length, arthur.sample_ratio) == ("skip", 10, 0.1)
    assert (arthur.spool_max_bytes, arthur.spool_max_age) == (512 * 1024, 7200)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("timeout: [1, 2]", "arthur.timeout is of type list; it must be a number of seconds"),
        ("endpoint: {a: b}", "arthur.endpoint is of type dict; it must be a text"),
        ("endpoint: http://arthur.example", "arthur.endpoint would send keys and prompts in the clear"),
        ("endpoint: app.arthur.ai", "arthur.endpoint must be a URL that begins with https://"),
        ("redact: emial", "arthur.redact holds a wrong name: the redactor emial cannot be used"),
        ("api_key_file: /no/such/file", "arthur.api_key_file names a file that cannot be read"),
        ("model_id: m", "arthur.model_id is not a key of this section"),
    ],
)
def test_a_value_that_the_exporter_would_not_take_is_refused(line: str, said: str) -> None:
    key = "" if line.startswith("api_key") else "  api_key: k\n"
    found = problems(f"arthur:\n{key}  models: [{{model_id: m}}]\n  {line}\n")
    assert any(said in problem for problem in found), found


ENGINE = "engine: {endpoint: http://127.0.0.1:1, api_key: e, spans: calls, insecure: yes}\n"


def test_the_engine_alone() -> None:
    configuration = read(ENGINE, ARTHUR_BASE_URL="https://another.example", ARTHUR_TASK_ID="another")
    engine = configuration.arthur.engine
    assert engine is not None
    assert (engine.endpoint, engine.api_key, engine.task_id) == ("http://127.0.0.1:1", "e", None)
    assert (engine.spans, engine.insecure) == ("calls", True)
    assert not configuration.arthur.is_v3_target
    assert configuration.routes == ()


def test_the_engine_beside_the_v3_platform_with_tasks() -> None:
    configuration = read(
        "arthur: {api_key: k, models: [{match: {service.name: a}, model_id: m, task_id: t}, {model_id: n}]}\n"
        "engine: {endpoint: 'https://x', api_key: e, tasks: [{match: {service.name: b}, task_id: u}]}\n"
    )
    assert configuration.arthur.is_v3_target
    assert (configuration.arthur.api_key, configuration.arthur.insecure) == ("k", False)
    assert [route.model_id for route in configuration.routes] == ["m", "n"]
    assert [(route.match, route.task_id) for route in configuration.tasks] == [
        ((("service.name", "a"),), "t"),
        ((("service.name", "b"),), "u"),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("engine: {api_key: e}\n", "line 1: engine needs an endpoint"),
        ("engine: {endpoint: 'https://x'}\n", "line 1: engine needs an api_key or an api_key_file"),
        ("engine: {endpoint: x, api_key: e}\n", "line 1: engine.endpoint must be a URL"),
        ("engine: {endpoint: 'http://x', api_key: e}\n", "line 1: engine.endpoint would send keys"),
        (
            "engine: {endpoint: 'https://x', api_key: e, span: x}\n",
            "engine.span is not a key of this section",
        ),
        ("engine: {endpoint: 'https://x', api_key: e, tasks: [{}]}\n", "engine.tasks[0] needs a task_id"),
        (f"{BASE}      task_id: t\n", "line 5: arthur.models[0].task_id needs a section engine"),
        (f"{BASE}engine:\n  api_key: e\n", "line 5: engine needs an endpoint"),
    ],
)
def test_problems_of_the_engine(content: str, said: str) -> None:
    found = problems(content)
    assert any(said in problem for problem in found), found


def test_no_secret_in_what_is_printed() -> None:
    configuration = read(
        f"{BASE}receivers: {{otlp: {{http: {{auth: {{bearer_token: tokensecret}}}}}}}}\n"
        "forward: {endpoint: 'http://x:1', headers: {a: headersecret}}\n".replace(
            "api_key: k", "api_key: keysecret"
        )
    )
    assert "secret" not in repr(configuration)


def test_validate_says_what_it_would_do(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(PROMISED)
    done = CliRunner(env={"ARTHUR_API_KEY": "keysecret"}).invoke(
        cli, ["collector", "validate", "--config", str(path)]
    )
    assert done.exit_code == 0
    assert "service.name=support-*" in done.output
    assert "keysecret" not in done.output


@pytest.mark.parametrize("arguments", [["collector"], ["collector", "validate"]])
def test_wrong_configurations_exit_2(tmp_path: Path, arguments: list[str]) -> None:
    runner = CliRunner()
    assert runner.invoke(cli, arguments).exit_code == 2
    missing = runner.invoke(cli, [*arguments, "--config", str(tmp_path / "none.yaml")])
    assert missing.exit_code == 2
    assert "none.yaml: cannot be read: No such file" in missing.output
    (tmp_path / "bad.yaml").write_text("arthur: 1\n")
    bad = runner.invoke(cli, [*arguments, "--config", str(tmp_path / "bad.yaml")])
    assert bad.exit_code == 2
    assert "bad.yaml, line 1: arthur must be a mapping" in bad.output


def test_relative_files_and_the_real_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-a-file\n")
    path = tmp_path / "c.yaml"
    path.write_text(f"arthur: {{api_key_file: '{tmp_path}/key', models: [{{model_id: m}}]}}\n")
    assert load(path, {}).arthur.api_key == "from-a-file"


def view(resource: dict[str, object], **attributes: object) -> SpanView:
    return SpanView("0" * 32, "0" * 16, None, "n", "s", "", 0, 0, 0, "", attributes, [], resource, 0)


def test_routes_in_order_by_span_or_resource() -> None:
    models = """
    - {match: {service.name: "support-[ab]"}, model_id: brackets}
    - {match: {tenant: 42, paid: "true"}, model_id: values}
    - {match: {service.name: "*-eu"}, model_id: star}"""
    router = Router(cast("Any", read(f"arthur:\n  api_key: k\n  models: {models}\n").routes))

    def model(resource: dict[str, object], **attributes: object) -> str | None:
        route = router.target(view(resource, **attributes))
        return route.model_id if route else None

    assert model({"service.name": "support-a"}) == "brackets"
    assert model({"service.name": "Support-a"}) is None
    assert model({"tenant": 42}, paid=True) == "values"
    assert model({"tenant": 42}) is None
    assert model({"service.name": "chat-eu"}) == "star"
    assert model({"service.name": "no"}, **{"service.name": "chat-eu"}) == "star"
    assert model({}) is None


def test_merge_keys() -> None:
    twice = """
arthur:
  api_key: k
  models:
    - &first {match: {service.name: a}, model_id: "1"}
    - {<<: *first, match: {service.name: b}}
"""
    assert [route.model_id for route in read(twice).routes] == ["1", "1"]


@pytest.mark.parametrize(
    "endpoint", ["http://a.example?x=1", "http://a.example/#x", "grpc://a.example:4317/x"]
)
def test_a_next_hop_that_cannot_be_meant(endpoint: str) -> None:
    assert "forward.endpoint must not have a" in problems(f"{SMALLEST}forward: {{endpoint: '{endpoint}'}}")[0]
