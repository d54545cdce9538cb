"""``ArthurSpanExporter(arthur_model=model)``: an exporter that sends through a live ``ArthurModel``.

Runs in the environment of the tier ``arthurai``. Prints one line per step; exit 0 when all
hold, 1 with the first that does not.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

from arthurai import ArthurAI
from arthurai.common.constants import InputType, OutputType
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

import otel_arthur
from otel_arthur import ArthurSpanExporter
from otel_arthur.arthur.errors import PayloadTooLarge, Refused, Unauthorized
from otel_arthur.arthur.live_model import LiveModel
from otel_arthur.arthur.rows import Outcome
from otel_arthur.http.encoding import encode
from otel_arthur.http.errors import ArthurError, Unavailable
from otel_arthur.local import LocalArthur
from otel_arthur.sdk.bridge import Bridge, current
from tests.support.servers.fault_behaviours import delay, hang, row_statuses, status
from tests.support.servers.fault_server import MODEL, FaultServer
from tests.support.waiting import PATIENCE

SECRET = "the patient's name"
said: list[str] = []


def bridge() -> Bridge:
    found = current()
    assert found is not None
    return found


def step(description: str) -> None:
    print("ok", description, flush=True)


class Said(logging.Handler):
    """Everything that is logged, by anyone."""

    def emit(self, record: logging.LogRecord) -> None:
        said.append(record.getMessage())


def connected(url: str, key: str) -> ArthurAI:
    return ArthurAI(url=url, access_key=key, allow_insecure=True)


def new_model(client: ArthurAI, name: str) -> Any:
    model = client.model(
        partner_model_id=name,
        display_name=name,
        input_type=InputType.NLP,
        output_type=OutputType.TokenSequence,
    )
    model.build_token_sequence_model(
        input_column="question", output_text_column="answer", ground_truth_text_column="expected_text"
    )
    return model


@contextlib.contextmanager
def exporting(model: Any, spool: str | None = None) -> Iterator[TracerProvider]:
    """A tracer provider whose spans go through the model."""
    with tempfile.TemporaryDirectory() as own:
        exporter = ArthurSpanExporter(arthur_model=model, spool_dir=spool or own)
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        try:
            yield provider
        finally:
            provider.shutdown()


def chat(provider: TracerProvider, question: str) -> str:
    """One LLM call; returns the id of its inference."""
    with provider.get_tracer("test").start_as_current_span("chat m") as span:
        for key, role, text in (("input", "user", question), ("output", "assistant", "an answer")):
            message = {"role": role, "parts": [{"type": "text", "content": text}]}
            span.set_attribute(f"gen_ai.{key}.messages", json.dumps([message]))
        span.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"})
        return otel_arthur.inference_id(span) or ""


def row(identity: str, **data: Any) -> bytes:
    values = {"question": "Human: hi", "answer": "Hello", **data}
    when = "2026-11-22T12:00:00.250000+00:00"
    return encode({"partner_inference_id": identity, "inference_timestamp": when, "inference_data": values})


def raised(live: LiveModel) -> ArthurError:
    try:
        live.send_inferences(live.model_id, [row("x")])
    except ArthurError as error:
        return error
    raise AssertionError("nothing was raised")


def against_local_arthur(arthur: LocalArthur) -> None:
    client = connected(arthur.url, arthur.api_key)
    model = new_model(client, "live")
    model.save()
    live = LiveModel(model)
    results = live.send_inferences(
        "any", [row("good"), row("wrong", question=1), row("unknown", nonsense=1), row("good")]
    )
    outcomes = [result.outcome for result in results]
    assert outcomes == [Outcome.ACCEPTED, Outcome.REFUSED, Outcome.REFUSED, Outcome.ALREADY_EXISTS], results
    assert "question" in results[1].message
    assert "good" in {one.partner_inference_id for one in arthur.store.inferences(model.id).inferences}
    truth = {"expected_text": "Hello!"}
    results = live.send_ground_truth(
        "any",
        [encode({"partner_inference_id": one, "ground_truth_data": truth}) for one in ("good", "nobody")],
    )
    assert [result.delivered for result in results] == [True, False], results
    step("rows of 4xx are results of their own, inferences and ground truth")

    before = arthur.store.count(model.id)
    # The live model is the one meant, whatever else is set for exporters without one.
    os.environ["OTEL_EXPORTER_ARTHUR_MODEL_ID"] = "another"
    os.environ["OTEL_EXPORTER_ARTHUR_MODELS"] = "*=a-third"
    with exporting(model) as provider:
        ids = [chat(provider, f"question {number}") for number in range(5)]
        assert provider.force_flush()
        [stored] = arthur.store.inferences(model.id, search=ids[0]).inferences
        assert stored.inference_data == {"question": "Human: question 0", "answer": "an answer"}
        assert arthur.store.count(model.id) == before + 5
        step("an exporter's inferences arrive through the live model, under its attributes' names")
        assert otel_arthur.record_ground_truth(ids[1], expected_text="an answer")
        assert bridge().flush(PATIENCE)
        [stored] = arthur.store.inferences(model.id, search=ids[1]).inferences
        assert stored.ground_truth_data == {"expected_text": "an answer"}, stored
        step("and so does ground truth")
    del os.environ["OTEL_EXPORTER_ARTHUR_MODEL_ID"], os.environ["OTEL_EXPORTER_ARTHUR_MODELS"]
    assert not [line for line in said if line.startswith("otel-arthur")], said
    step("with neither key nor model id configured, nothing is missing")

    unsaved = new_model(client, "unsaved")
    with exporting(unsaved) as provider:
        chat(provider, "question")
        provider.force_flush()
        counts = bridge().delivery.counts()
        assert (counts.sent, counts.dead_letter, counts.left) == (0, 0, 1), counts
    assert [line for line in said if "save()" in line], said
    step("a model that is not saved is told, and the inference kept")


def against_faults(server: FaultServer) -> None:
    server.model = {
        **MODEL,
        "attributes": [
            {"name": "question", "value_type": "UNSTRUCTURED_TEXT", "stage": "PIPELINE_INPUT"},
            {"name": "answer", "value_type": "UNSTRUCTURED_TEXT", "stage": "PREDICTED_VALUE"},
        ],
    }
    model = connected(server.url, "k").get_model(MODEL["id"])
    live = LiveModel(model)
    kinds = {401: Unauthorized, 413: PayloadTooLarge, 402: Refused, 429: Unavailable, 503: Unavailable}
    for code, kind in kinds.items():
        server.script(status(code, body={"error": SECRET}))
        error = raised(live)
        assert isinstance(error, kind), (code, error)
        assert error.status == code
        assert SECRET not in str(error)
    server.stop()
    assert isinstance(raised(live), Unavailable)
    server.start()
    step("what the SDK raises is one of our errors")

    accepted = len(server.accepted_rows)
    with exporting(model) as provider:
        server.script(row_statuses(200, (400, f"invalid: {SECRET}"), 200))
        ids = [chat(provider, SECRET) for _ in range(3)]
        provider.force_flush()
        counts = bridge().delivery.counts()
        assert (counts.sent, counts.dead_letter, counts.left) == (2, 1, 0), counts
        assert server.accepted_ids[accepted:] == [ids[0], ids[2]]
        step("a refused row is a dead letter and does not hold its batch")
        server.script(status(413))
        ids = [chat(provider, SECRET) for _ in range(4)]
        provider.force_flush()
        assert sorted(server.accepted_ids[-4:]) == sorted(ids)
        assert [len(request.ids) for request in server.sends[-3:]] == [4, 2, 2]
        step("a request that is too large is halved")
        server.stop()
        waiting = chat(provider, SECRET)
        provider.force_flush()
        server.start()
        assert bridge().flush(PATIENCE)
        assert server.accepted_ids[-1] == waiting
        step("an inference waits for an outage to end")
    assert not [line for line in said if SECRET in line], said
    step("nobody logs what was said or refused")


def against_a_hang(server: FaultServer) -> None:
    """The SDK waits five minutes for an answer: no thread of the application may."""
    model = connected(server.url, "k").get_model(MODEL["id"])
    server.always(hang())
    with tempfile.TemporaryDirectory() as spool:
        provider = TracerProvider(shutdown_on_exit=False)
        # A simple processor exports on the thread that ends the span.
        provider.add_span_processor(
            SimpleSpanProcessor(ArthurSpanExporter(arthur_model=model, spool_dir=spool))
        )
        ids: list[str] = []
        worked, shut_down = threading.Event(), threading.Event()
        delivery = bridge().delivery

        def application() -> None:
            ids.extend(chat(provider, SECRET) for _ in range(20))
            worked.set()
            provider.shutdown()
            shut_down.set()

        threading.Thread(target=application, daemon=True).start()
        assert worked.wait(PATIENCE)
        step("an Arthur that hangs holds up no thread of the application")
        assert shut_down.wait(PATIENCE)
        assert (delivery.counts().sent, delivery.counts().left) == (0, 20), delivery.counts()
        assert server.sends, "nothing hung"
        step("and no shutdown beyond its deadline")

        accepted = len(server.accepted_rows)
        server.stop()
        server.always(None)
        server.start()
        with exporting(connected(server.url, "k").get_model(MODEL["id"]), spool) as provider:
            ids.append(chat(provider, SECRET))
            provider.force_flush()
            assert bridge().flush(PATIENCE)
        assert sorted(server.accepted_ids[accepted:]) == sorted(ids)
        step("what waited arrives through the next run's live model")


def in_a_child(server: FaultServer) -> None:
    """Forked while a connection is open and a thread of the parent holds the SDK."""
    model = connected(server.url, "k").get_model(MODEL["id"])
    live = LiveModel(model)
    live.send_inferences("any", [row("before the fork")])
    server.script(delay(3.0))
    before = len(server.requests)
    held = threading.Thread(target=live.send_inferences, args=("any", [row("from the parent")]))
    held.start()
    assert server.wait_for_requests(before + 1)
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            results = live.send_inferences("any", [row("from the child")])
            os._exit(0 if results[0].delivered else 4)
        os._exit(5)
    assert os.waitpid(child, 0)[1] == 0
    held.join()
    assert sorted(server.accepted_ids[-3:]) == ["before the fork", "from the child", "from the parent"]
    step("a child sends for itself")


def main() -> int:
    # The SDK reads them beside its arguments.
    for name in [name for name in os.environ if name.startswith(("ARTHUR_", "OTEL_"))]:
        del os.environ[name]
    logging.getLogger().addHandler(Said())
    with LocalArthur() as arthur:
        against_local_arthur(arthur)
    said.clear()
    with FaultServer() as server:
        against_faults(server)
        against_a_hang(server)
    with FaultServer() as server:
        in_a_child(server)
    return 0


if __name__ == "__main__":
    sys.exit(main())
