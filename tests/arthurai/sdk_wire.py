"""Our client and Arthur's own SDK put the same requests on the wire.

Runs in the environment of the tier ``arthurai``, against a server that records.
Prints one line per step; exit 0 when all hold, 1 with the first that does not.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import jwt
from arthurai import ArthurAI
from arthurai.common.constants import InputType, OutputType, Stage, ValueType

from otel_arthur.arthur.authentication import Authentication
from otel_arthur.arthur.client import V3, ArthurClient
from otel_arthur.arthur.onboarding import METADATA_FIELDS, model_request
from otel_arthur.genai.call import Choice, LLMCall, Message, TextPart, ToolCallPart, Usage
from otel_arthur.http.encoding import encode
from otel_arthur.http.transport import Transport
from otel_arthur.inference.build import build
from otel_arthur.inference.schema import schema_of
from tests.support.servers.fault_behaviours import status
from tests.support.servers.fault_exchange import Request
from tests.support.servers.fault_server import MODEL, FaultServer

KEY = "the-key"
HEADERS = ("accept", "authorization", "arthur-organization-id", "content-type", "content-encoding")
CALL = LLMCall(
    trace_id="0af7651916cd43dd8448eb211c80319c",
    span_id="b7ad6b7169203331",
    parent_span_id=None,
    name="chat",
    scope="s",
    dialect="semconv",
    start_ns=1_763_812_799_830_000_000,
    end_ns=1_763_812_800_250_000_000,
    messages=(
        Message("system", (TextPart('你好 "quoted" \\ back\nslash 🌍'),)),
        Message("user", (TextPart("hi\u2028\x07"),)),
    ),
    choices=(
        Choice(
            Message("assistant", (TextPart("Hello"),)),
            "stop",
            tokens=("Hel", "lo"),
            likelihoods=({"Hel": 0.9, "Hi": 0.1}, {"lo": 1.0}),
        ),
        Choice(Message("assistant", (ToolCallPart("c", "get_weather", {"city": "Paris"}),)), "tool_calls"),
    ),
    usage=Usage(21, 7, 28, 0, None, 2),
    temperature=0.0,
    failed=False,
    operation="chat",
)


def step(description: str) -> None:
    print("ok", description, flush=True)


def requests_of(server: FaultServer, call: Callable[[], object]) -> list[Request]:
    before = len(server.requests)
    call()
    return server.requests[before:]


def essence(request: Request) -> dict[str, Any]:
    """What Arthur sees: 1 and 1.0, null and nothing at all are told apart."""
    return {
        "method": request.method,
        "path": request.path,
        "headers": {name: request.headers.get(name) for name in HEADERS},
        "body": json.dumps(json.loads(request.body), sort_keys=True) if request.body else None,
    }


def same(server: FaultServer, theirs: Callable[[], object], ours: Callable[[], object]) -> Request:
    """Both make one request, and it is the same."""
    [its], [mine] = requests_of(server, theirs), requests_of(server, ours)
    assert essence(its) == essence(mine), f"\n{essence(its)}\n{essence(mine)}"
    return mine


def logging_in(server: FaultServer) -> tuple[ArthurAI, ArthurClient]:
    def our(authentication: Authentication) -> ArthurClient:
        return ArthurClient(Transport(server.url, V3), authentication)

    # The SDK reads when the token expires.
    token = jwt.encode({"exp": time.time() + 3600}, "any key will do, for nobody checks it")
    server.always(status(200, {"Set-Cookie": f"Authorization={token}; Path=/"}), on="/login")
    its = requests_of(server, lambda: ArthurAI(url=server.url, login="me", password="s", allow_insecure=True))
    mine = requests_of(server, lambda: our(Authentication(login="me", password="s")).organization_id())
    # It logs in once more, to know when to renew.
    assert [essence(one) for one in its] == [essence(mine[0]), essence(mine[1]), essence(mine[0])], (
        its,
        mine,
    )
    assert mine[-1].headers["authorization"] == token
    step("log in, and ask for the organisation with the token")
    theirs = ArthurAI(url=server.url, access_key=KEY, allow_insecure=True)
    client = our(Authentication(api_key=KEY))
    client.organization_id()
    return theirs, client


def sdk_model(theirs: ArthurAI, name: str, tokens: bool, likelihoods: bool, truth: bool) -> Any:
    model = theirs.model(
        partner_model_id=name,
        display_name=name,
        input_type=InputType.NLP,
        output_type=OutputType.TokenSequence,
    )
    model.build_token_sequence_model(
        input_column="input_text",
        output_text_column="output_text",
        output_token_column="output_tokens" if tokens else None,
        output_likelihood_column="output_likelihoods" if likelihoods else None,
        ground_truth_text_column="expected_text" if truth else None,
    )
    for attribute, value_type in METADATA_FIELDS.items():
        model.add_attribute(
            name=attribute,
            value_type=value_type,
            stage=Stage.NonInputData,
            # What is counted by value; the SDK asks its user.
            categorical=value_type in (ValueType.String, ValueType.Boolean),
        )
    return model


def creating(server: FaultServer, theirs: ArthurAI, client: ArthurClient) -> Any:
    saved: Any = None
    for tokens, likelihoods, truth in ((False, False, False), (True, False, True), (True, True, True)):
        saved = sdk_model(theirs, "support-bot", tokens, likelihoods, truth)
        request = model_request("support-bot", tokens=tokens, likelihoods=likelihoods, ground_truth=truth)
        server.model = {**request, "id": MODEL["id"], "status": "Ready"}
        its = requests_of(server, saved.save)[0]
        [mine] = requests_of(server, lambda body=request: client.create_model(body))
        bodies = [json.loads(one.body) for one in (its, mine)]
        # An attribute's place in the list means nothing: it is told by stage and position.
        for body in bodies:
            body["attributes"].sort(key=lambda attribute: attribute["name"])
        assert bodies[0] == bodies[1], f"\n{bodies[0]}\n{bodies[1]}"
        assert {**essence(its), "body": None} == {**essence(mine), "body": None}
    step("create a model, with and without tokens, likelihoods and ground truth")
    return saved


def reading(server: FaultServer, theirs: ArthurAI, client: ArthurClient) -> None:
    same(server, lambda: theirs.get_model(MODEL["id"]), lambda: client.model(MODEL["id"]))
    same(
        server,
        lambda: theirs.get_model("support-bot", id_type="partner_model_id"),
        lambda: client.model_named("support-bot"),
    )
    step("read a model by both kinds of id")


def sending(server: FaultServer, model: Any, client: ArthurClient) -> None:
    schema = schema_of(client.model(MODEL["id"]).attributes)
    rows = [inference.as_json() for inference in build(CALL, schema)]
    rows[1]["inference_data"]["duration"] = float("nan")
    request = same(
        server,
        lambda: model.send_inferences(rows),
        lambda: client.send_inferences(MODEL["id"], [encode(row) for row in rows]),
    )
    assert [one["inference_data"]["output_text"] for one in request.json] == ["Hello", ""]
    assert request.json[1]["inference_data"]["duration"] is None
    step("send inferences")
    same(server, lambda: model.send_inferences(rows), lambda: client.send_inferences(MODEL["id"], rows))
    step("send inferences that are not encoded yet")
    truth = {
        "partner_inference_id": rows[0]["partner_inference_id"],
        "ground_truth_timestamp": datetime.now(timezone.utc).isoformat(),
        "ground_truth_data": {"expected_text": "Hello, 世界"},
    }
    request = same(
        server,
        lambda: model.update_inference_ground_truths([truth]),
        lambda: client.send_ground_truth(MODEL["id"], [encode(truth)]),
    )
    assert request.json == [truth]
    step("send ground truth")


def main() -> int:
    # The SDK reads them beside its arguments.
    for name in [name for name in os.environ if name.startswith("ARTHUR_")]:
        del os.environ[name]
    with FaultServer() as server:
        theirs, client = logging_in(server)
        model = creating(server, theirs, client)
        reading(server, theirs, client)
        sending(server, model, client)
        client.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
