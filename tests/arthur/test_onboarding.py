"""`otel-arthur onboard` and the request behind it, against local Arthur."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from otel_arthur.arthur.authentication import Authentication
from otel_arthur.arthur.client import V3, ArthurClient
from otel_arthur.arthur.errors import AlreadyExists, NotFound, Unauthorized
from otel_arthur.arthur.onboarding import METADATA_FIELDS, model_request
from otel_arthur.cli.commands import models
from otel_arthur.cli.commands.onboard import command
from otel_arthur.http.errors import ConfigurationError
from otel_arthur.http.transport import Transport
from otel_arthur.inference.schema import schema_of
from otel_arthur.local.server import LocalArthur
from tests.support.servers.fault_behaviours import status
from tests.support.servers.fault_server import MODEL, FaultServer


@pytest.fixture
def arthur() -> Iterator[LocalArthur]:
    with LocalArthur() as running:
        yield running


@pytest.fixture
def local(arthur: LocalArthur) -> Iterator[ArthurClient]:
    client = ArthurClient(Transport(arthur.url, V3), Authentication(api_key=arthur.api_key))
    yield client
    client.close()


def run(url: str, key: str | None, *arguments: str) -> Result:
    environment = {"OTEL_EXPORTER_ARTHUR_ENDPOINT": url, "OTEL_EXPORTER_ARTHUR_API_KEY": key}
    return CliRunner().invoke(command, list(arguments), env=environment)


def test_the_request_has_the_shape_of_the_sdk() -> None:
    """Field by field what arthurai 3.33.3 sent for a model of the same attributes."""
    metadata = {"prompt_tokens": "INTEGER", "finish_reason": "STRING", "duration": "FLOAT"}
    request = model_request("bot", metadata, tokens=True, likelihoods=True, ground_truth=True)
    by_name = {attribute.pop("name"): attribute for attribute in request.pop("attributes")}
    assert request == {
        "partner_model_id": "bot",
        "input_type": "NLP",
        "output_type": "TOKEN_SEQUENCE",
        "display_name": "bot",
        "is_batch": False,
        "archived": False,
    }
    flags = {
        "categorical": False,
        "monitor_for_bias": False,
        "is_unique": False,
        "is_positive_predicted_attribute": False,
        "implicit": False,
    }
    text, predicted, metadata_stage = "UNSTRUCTURED_TEXT", "PREDICTED_VALUE", "NON_INPUT_DATA"
    yes = {"categorical": True}
    assert by_name == {
        "input_text": flags | yes | {"value_type": text, "stage": "PIPELINE_INPUT"} | at(0, is_unique=True),
        "output_text": flags
        | yes
        | {"value_type": text, "stage": predicted}
        | at(0, token_attribute_link="output_tokens"),
        "output_tokens": flags
        | {"value_type": "TOKENS", "stage": predicted}
        | at(1, token_attribute_link="output_text"),
        "output_likelihoods": flags | {"value_type": "TOKEN_LIKELIHOODS", "stage": predicted} | at(2),
        "expected_text": flags | yes | {"value_type": text, "stage": "GROUND_TRUTH"} | at(0, is_unique=True),
        "prompt_tokens": flags | {"value_type": "INTEGER", "stage": metadata_stage},
        "finish_reason": flags | yes | {"value_type": "STRING", "stage": metadata_stage},
        "duration": flags | {"value_type": "FLOAT", "stage": metadata_stage},
    }


def at(position: int, **more: object) -> dict[str, object]:
    return {"position": position, **more}


@pytest.mark.parametrize("name", ["1st", "a-b", "", "a b", "é", "output_text", "expected_text"])
def test_names_that_arthur_does_not_take(name: str) -> None:
    with pytest.raises(ConfigurationError):
        model_request("bot", {name: "STRING"})


def test_value_types_that_metadata_does_not_have() -> None:
    with pytest.raises(ConfigurationError, match="TOKENS"):
        model_request("bot", {"mine": "TOKENS"})


def test_local_arthur_takes_what_is_built_and_what_fits_it(arthur: LocalArthur, local: ArthurClient) -> None:
    built = model_request("bot", tokens=True, likelihoods=True, ground_truth=True)
    made = local.wait_until_ready(local.create_model(built).id)
    schema = schema_of(made.attributes)
    assert {slot.field for slot in schema.slots} >= {*METADATA_FIELDS, "input_text", "output_likelihoods"}
    assert schema.unfilled == ()
    assert local.model_named("bot") == local.model(made.id)
    row = {
        "partner_inference_id": "a",
        "inference_timestamp": "2026-11-22T12:00:00.250000+00:00",
        "inference_data": {
            "input_text": "Human: hi",
            "output_text": "Hello",
            "output_tokens": ["Hel", "lo"],
            "output_likelihoods": [{"Hel": 0.9, "Hi": 0.1}, {"lo": 0.99}],
            "prompt_tokens": 3,
        },
    }
    bad = {**row, "partner_inference_id": "b", "inference_data": {"nothing_like_it": 1}}
    assert [r.outcome.value for r in local.send_inferences(made.id, [row, bad])] == ["accepted", "refused"]
    assert [r.outcome.value for r in local.send_inferences(made.id, [row])] == ["already_exists"]
    truth = {
        "partner_inference_id": "a",
        "ground_truth_timestamp": "2026-11-22T12:01:00+00:00",
        "ground_truth_data": {"expected_text": "Hello!"},
    }
    lost = {**truth, "partner_inference_id": "never sent"}
    assert [r.delivered for r in local.send_ground_truth(made.id, [truth, lost])] == [True, False]
    assert arthur.store.inferences(made.id).total == 1


def test_local_arthur_says_what_is_wrong(arthur: LocalArthur, local: ArthurClient) -> None:
    with pytest.raises(NotFound):
        local.model("nope")
    local.create_model(model_request("bot"))
    with pytest.raises(AlreadyExists) as caught:
        local.create_model(model_request("bot"))
    assert caught.value.model_id == local.model_named("bot").id
    wrong = ArthurClient(Transport(arthur.url, V3), Authentication(api_key="wrong"))
    with pytest.raises(Unauthorized):
        wrong.model("nope")
    wrong.close()


def test_logging_in_to_local_arthur(arthur: LocalArthur, local: ArthurClient) -> None:
    made = local.create_model(model_request("bot"))
    login = Authentication(login="local", password=arthur.api_key)
    client = ArthurClient(Transport(arthur.url, V3), login)
    assert client.organization_id() == arthur.organization_id
    assert client.model(made.id).id == made.id
    client.close()
    wrong = ArthurClient(Transport(arthur.url, V3), Authentication(login="local", password="no"))
    with pytest.raises(Unauthorized, match="LOGIN"):
        wrong.organization_id()
    wrong.close()


def test_the_command_prints_the_id_alone(arthur: LocalArthur, local: ArthurClient) -> None:
    result = run(arthur.url, arthur.api_key, "support bot")
    assert result.exit_code == 0, result.stderr
    model = local.model(result.stdout.removesuffix("\n"))
    assert model.partner_model_id == "support bot"
    assert {a.name for a in model.attributes} == {"input_text", "output_text", *METADATA_FIELDS}


def test_the_command_takes_fields(arthur: LocalArthur, local: ArthurClient, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(arthur.api_key + "\n")
    options = ["--fields", "model, duration,input_text", "--likelihoods", "--ground-truth"]
    result = run(arthur.url, None, "bot", *options, "--api-key-file", str(key))
    assert result.exit_code == 0, result.stderr
    names = [a.name for a in local.model(result.stdout.strip()).attributes if not a.implicit]
    texts = ["input_text", "output_text", "output_tokens", "output_likelihoods", "expected_text"]
    assert sorted(names) == sorted([*texts, "model", "duration"])


def test_the_command_refuses_a_taken_name(arthur: LocalArthur) -> None:
    first = run(arthur.url, arthur.api_key, "bot", "--fields", "")
    again = run(arthur.url, arthur.api_key, "bot")
    assert (again.exit_code, again.stdout) == (1, "")
    assert first.stdout.strip() in again.stderr
    assert "exists" in again.stderr


def test_a_taken_name_is_fine_where_that_is_said(arthur: LocalArthur) -> None:
    first = run(arthur.url, arthur.api_key, "bot", "--fields", "")
    again = run(arthur.url, arthur.api_key, "bot", "--exist-ok", "--fields", "model")
    assert (again.exit_code, again.stdout) == (0, first.stdout)
    assert "it has no attribute model" in again.stderr
    fresh = run(arthur.url, arthur.api_key, "other", "--exist-ok")
    assert fresh.exit_code == 0
    assert fresh.stdout != first.stdout


def test_a_model_for_fields_of_ones_own(arthur: LocalArthur, local: ArthurClient) -> None:
    own = ["--attribute", "tenant:STRING", "--attribute", "seats:integer"]
    truths = ["--ground-truth-attribute", "thumbs_up:BOOLEAN", "--ground-truth-attribute", "note:STRING"]
    result = run(arthur.url, arthur.api_key, "bot", "--fields", "", "--ground-truth", *own, *truths)
    assert result.exit_code == 0, result.stderr
    attributes = local.model(result.stdout.strip()).attributes
    assert {one.name: one.value_type for one in attributes if one.stage == "NON_INPUT_DATA"} == {
        "tenant": "STRING",
        "seats": "INTEGER",
    }
    assert {one.name: one.value_type for one in attributes if one.stage == "GROUND_TRUTH"} == {
        "expected_text": "UNSTRUCTURED_TEXT",
        "thumbs_up": "BOOLEAN",
        "note": "STRING",
    }


def test_the_models_are_listed(arthur: LocalArthur, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {name: run(arthur.url, arthur.api_key, name).stdout.strip() for name in ("one", "two")}
    monkeypatch.setenv("OTEL_EXPORTER_ARTHUR_ENDPOINT", arthur.url)
    monkeypatch.setenv("OTEL_EXPORTER_ARTHUR_API_KEY", arthur.api_key)
    shown = CliRunner().invoke(models.command, ["--json"])
    assert shown.exit_code == 0, shown.stderr
    listed = [orjson.loads(line) for line in shown.stdout.splitlines()]
    assert {one["name"]: one["id"] for one in listed} == made
    assert listed[0]["attributes"]["duration"] == {"type": "FLOAT", "stage": "NON_INPUT_DATA"}
    lines = CliRunner().invoke(models.command, []).stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [[made[name], name] for name in made]


@pytest.mark.parametrize(
    ("key", "arguments", "code", "words"),
    [
        (None, ["bot"], 2, "OTEL_EXPORTER_ARTHUR_API_KEY"),
        ("wrong", ["bot"], 1, "401"),
        ("k", ["bot", "--fields", "model,nonsense"], 2, "nonsense"),
        ("k", [" "], 2, "empty"),
        ("k", ["bot", "--endpoint", "http://arthur.example"], 2, "https://"),
        ("two\nlines", ["bot"], 2, "API key"),
        ("k", [], 2, "NAME"),
        ("k", ["bot", "--attribute", "tenant"], 2, "tenant:STRING"),
        ("k", ["bot", "--attribute", "tenant:TEXT"], 2, "use one of"),
        ("k", ["bot", "--attribute", "a:STRING", "--ground-truth-attribute", "a:STRING"], 2, "another name"),
    ],
)
def test_the_command_says_what_is_wrong(
    arthur: LocalArthur, key: str | None, arguments: list[str], code: int, words: str
) -> None:
    result = run(arthur.url, key, *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_the_command_waits_for_the_model(server: FaultServer) -> None:
    server.script(status(404), status(200, body={**MODEL, "status": "CreationFailed"}), on="/models/bot")
    server.always(status(201, body={**MODEL, "id": "bot", "status": "Pending"}), on="/models")
    result = run(server.url, "k", "bot")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "CreationFailed" in result.stderr
