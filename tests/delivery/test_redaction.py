"""Redaction before disk and wire; what fails is withheld."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from otel_arthur.delivery import Delivery
from otel_arthur.inference.redaction.redactors import WITHHELD
from tests.support.servers.fault_server import FaultServer
from tests.support.spans.llm_calls import llm_call
from tests.support.waiting import PATIENCE


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    made = types.ModuleType("application_redaction")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made


def test_nothing_unredacted_reaches_disk_or_wire(
    server: FaultServer, deliver: Callable[..., Delivery], spool_dir: Path
) -> None:
    server.stop()
    delivery = deliver(redact=("email", "card"))
    call = llm_call(
        "I am jane@example.com with 4111111111111111 " + "x" * 40_000,
        user_id="jane@example.com",
        extra={"note": "from jane@example.com"},
    )
    delivery.submit([call])
    delivery.flush(0.3)
    for path in spool_dir.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"jane@example" not in content
            assert b"4111111111111111" not in content
    server.start()
    assert delivery.flush(PATIENCE)
    (row,) = server.accepted_rows
    assert "[email] with [card]" in row["inference_data"]["input_text"]


@pytest.mark.parametrize("fault", ["raises", "returns no text"])
def test_a_redactor_that_fails_withholds_the_text(
    server: FaultServer,
    deliver: Callable[..., Delivery],
    module: types.ModuleType,
    caplog: pytest.LogCaptureFixture,
    fault: str,
) -> None:
    def broken(text: str) -> str:
        if fault == "raises":
            raise RuntimeError(text)
        return None  # type: ignore[return-value]

    module.broken = broken  # type: ignore[attr-defined]
    delivery = deliver(redact=("application_redaction:broken",))
    delivery.submit([llm_call("a secret thing")])
    assert delivery.flush(PATIENCE)
    (row,) = server.accepted_rows
    assert row["inference_data"]["input_text"] == WITHHELD
    assert "secret" not in str(row) + caplog.text
    assert delivery.counts().withheld


@pytest.mark.parametrize("path", ["application_redaction.missing", "no_such_module_anywhere.redact"])
def test_what_a_redactor_that_is_not_there_should_have_masked_is_neither_sent_nor_kept(
    server: FaultServer,
    deliver: Callable[..., Delivery],
    module: types.ModuleType,
    spool_dir: Path,
    path: str,
) -> None:
    delivery = deliver(redact=(path,))
    delivery.submit([llm_call("a secret thing", user_id="jane")])
    assert not delivery.flush(1)
    assert delivery.counts().left == 1
    assert not server.requests
    assert not any(b"a secret thing" in file.read_bytes() for file in spool_dir.rglob("*") if file.is_file())
    delivery.shutdown(1)

    module.missing = str.upper  # type: ignore[attr-defined]
    corrected = deliver(redact=("application_redaction.missing",))
    corrected.submit([llm_call("another thing")])
    assert corrected.flush(PATIENCE)
    told = sorted(row["inference_data"]["input_text"] for row in server.accepted_rows)
    assert told == ["HUMAN: ANOTHER THING", WITHHELD]


def test_the_application_s_own_redactor(
    server: FaultServer, deliver: Callable[..., Delivery], module: types.ModuleType
) -> None:
    module.redact = lambda text: text.replace("Acme", "[customer]")  # type: ignore[attr-defined]
    delivery = deliver(redact=("application_redaction.redact", "email"))
    delivery.submit([llm_call("Acme wrote to a@b.example")])
    assert delivery.flush(PATIENCE)
    (row,) = server.accepted_rows
    assert "[customer] wrote to [email]" in row["inference_data"]["input_text"]
