"""Whole traces to the Arthur Engine through a Collector with the processor, whatever comes first."""

from __future__ import annotations

import random

import pytest

from tests.collector.processor.conftest import Make
from tests.collector.test_engine import post, stored, trace
from tests.support.servers.account import Account
from tests.support.servers.next_hops import HTTPServerBehind
from tests.support.waiting import eventually

pytestmark = [pytest.mark.collector, pytest.mark.slow, pytest.mark.timeout(900)]


def test_traces_of_two_processes_in_any_order(
    make: Make, account: Account, model_id: str, behind: HTTPServerBehind
) -> None:
    engine = {"endpoint": account.url, "api_key": account.api_key}
    sent = trace()
    random.Random("processor").shuffle(sent)
    with make(engine=engine, arthur={"duplicate_window": 0}, on_failure="refuse") as collector:
        post(collector, sent)
        spans = stored(account, 4)
        eventually(lambda: account.count(model_id) == 2, "two inferences")
    assert spans["chat in the shop"].parent_span_id == spans["GET /shop"].span_id
    assert spans["chat in the bot"].parent_span_id == spans["POST /ask"].span_id
    assert spans["GET /shop"].attributes["output.value"] == "Which? to you"
    assert spans["POST /ask"].attributes["output.value"] == "Hello to you"
    assert len(behind.got) == len(sent)
