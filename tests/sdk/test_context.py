"""`context`: what the application says of its calls arrives, whatever framework wrote their spans."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

import otel_arthur
from otel_arthur.arthur.onboarding import model_request
from otel_arthur.genai.reading import read
from otel_arthur.local import LocalArthur
from otel_arthur.local.v3.models import new_document
from tests.genai.matrix.truth import captures, views_of
from tests.support.processes.running import finished

APPLICATION = """
import json, logging, sys, threading, contextvars
import otel_arthur
logging.basicConfig(stream=sys.stdout, format="%(message)s")
logging.getLogger("otel_arthur").setLevel(logging.DEBUG)
provider = otel_arthur.instrument(instrumentations=())
tracer = provider.get_tracer("any framework")

def call(text, **attributes):
    with tracer.start_as_current_span("chat m") as span:
        for kind, role in (("input", "user"), ("output", "assistant")):
            message = {"role": role, "parts": [{"type": "text", "content": text}]}
            span.set_attribute(f"gen_ai.{kind}.messages", json.dumps([message]))
        span.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", **attributes})

call("outside")
with otel_arthur.context(user_id="u-17", conversation_id="c-4", tenant="acme", odd=object(), model="x"):
    call("inside", **{"gen_ai.conversation.id": "of the framework"})
    with otel_arthur.context(tenant="other", seats=5):
        thread = threading.Thread(target=contextvars.copy_context().run, args=(call, "nested"))
        thread.start()
        thread.join()
    call("inside again")
call("outside again")
assert otel_arthur.force_flush()
"""


def test_what_the_application_says_is_in_its_inferences(arthur: LocalArthur, tmp_path: Path) -> None:
    own = {"user_id": "STRING", "conversation_id": "STRING", "tenant": "STRING", "seats": "INTEGER"}
    document = new_document(model_request("bot", own))
    arthur.store.add_model(document)
    variables = {"ENDPOINT": arthur.url, "API_KEY": arthur.api_key, "MODEL_ID": document["id"]}
    done = finished(
        [sys.executable, "-c", APPLICATION],
        env={**os.environ, **{f"OTEL_EXPORTER_ARTHUR_{name}": value for name, value in variables.items()}},
    )
    assert done.returncode == 0, done.stderr
    found = {
        one.inference_data["output_text"]: tuple(one.inference_data.get(name) for name in own)
        for one in arthur.store.inferences().inferences
    }
    assert found == {
        "outside": (None, None, None, None),
        "inside": ("u-17", "c-4", "acme", None),
        "nested": ("u-17", "c-4", "other", 5),
        "inside again": ("u-17", "c-4", "acme", None),
        "outside again": (None, None, None, None),
    }
    assert re.search(r"a batch: \d sent, 0 refused", done.stdout)
    assert "argument odd is of type object; give a text" in done.stdout
    assert "argument model is a field that the call itself fills" in done.stdout


@pytest.mark.parametrize(
    "folder", ["oll-langchain-0.62.4", "oi-openai-0.1.66", "langfuse-5.0.4", "litellm-1.106.2"]
)
def test_it_wins_whatever_the_dialect(folder: str) -> None:
    said = {
        "arthur.context": ["user_id", "conversation_id", "tenant"],
        "user.id": "u",
        "session.id": "c",
        "tenant": "acme",
    }
    calls = [
        reading.call
        for capture in captures(folder)
        for view in views_of(capture)
        if (reading := read(replace(view, attributes={**view.attributes, **said}))).call is not None
    ]
    assert calls
    assert {(call.user_id, call.conversation_id, call.extra["tenant"]) for call in calls if call} == {
        ("u", "c", "acme")
    }


def test_public_names_are_found() -> None:
    assert set(otel_arthur.__all__) <= set(dir(otel_arthur))
    assert all(getattr(otel_arthur, name) for name in otel_arthur.__all__)
    with otel_arthur.capture() as calls:
        pass
    assert repr(calls) == "<otel_arthur.capture: inference ids []>"
