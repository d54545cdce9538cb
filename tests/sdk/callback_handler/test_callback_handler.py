"""What our exporter sends is what langchain-community's real ``ArthurCallbackHandler`` records.

Both watch the same calls in one process, in an environment that has both; see
``calls.py`` for the calls and ``docs/callback-handler.md`` for what differs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.support.environments.tiers import needs, python_of
from tests.support.paths import ROOT
from tests.support.processes.running import finished

pytestmark = [*needs("callback_handler"), pytest.mark.xdist_group("callback_handler")]
Row = Mapping[str, Any]
FIELDS = ("input_text", "output_text", "prompt_tokens", "completion_tokens", "finish_reason")
ROWS_OF_EQUAL_CALLS = {
    "chat": 1,
    "tool_call": 1,
    "tool_result": 1,
    "tool_history": 1,
    "agent": 2,
    "unicode": 1,
    "several_lines": 1,
    "empty_message": 1,
    "developer_role": 1,
    "named_message": 1,
    "two_choices": 2,
    "cut_short": 1,
    "filtered": 1,
    "plain_string": 1,
    "completion": 1,
    "completion_of_messages": 1,
    "completion_two_choices": 2,
    "completion_stream": 1,
    "lcel": 1,
    "batch": 3,
    "async": 1,
    "logprobs": 1,
    "parts_of_text": 1,
    "image": 1,
    "likelihoods_completion": 1,
    "other_model": 1,
}
"""Scenario -> how many inferences its calls are."""
LOST_BY_THE_HANDLER = {
    "stream": "KeyError('logprobs')",
    "streaming_model": "KeyError('logprobs')",
    "likelihoods_chat": "KeyError('top_logprobs')",
}
"""Scenario -> what the handler raises; LangChain logs it, and the call's record is gone."""
DIFFERENT = {"custom_role", "responses_api", "failure"}
"""Compared one by one below."""


@pytest.fixture(scope="module")
def ran() -> CompletedProcess[str]:
    hosts = ("OTEL_", "ARTHUR_", "OPENAI_", "TRACELOOP_", "LANGSMITH_", "LANGCHAIN_")
    done = finished(
        [str(python_of("callback_handler")), "-m", "tests.sdk.callback_handler.calls"],
        env={name: value for name, value in os.environ.items() if not name.startswith(hosts)},
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done


@pytest.fixture(scope="module")
def recorded(ran: CompletedProcess[str]) -> Mapping[str, Any]:
    return json.loads(ran.stdout)


def test_both_at_once_is_said(ran: CompletedProcess[str]) -> None:
    assert ran.stderr.count("ArthurCallbackHandler is at work too, so each call counts twice") == 1


def in_order(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The compared fields of each row; calls in parallel end in any order."""
    flat = [{name: row.get(name) for name in FIELDS} for row in rows]
    return sorted(flat, key=lambda row: (row["input_text"], row["output_text"]))


def test_every_scenario_is_compared(recorded: Mapping[str, Any]) -> None:
    assert {*ROWS_OF_EQUAL_CALLS, *LOST_BY_THE_HANDLER, *DIFFERENT} == set(recorded)


@pytest.mark.parametrize("scenario", ROWS_OF_EQUAL_CALLS)
def test_the_same_call_is_the_same_record(scenario: str, recorded: Mapping[str, Any]) -> None:
    theirs, ours = recorded[scenario]["theirs"], recorded[scenario]["ours"]
    assert recorded[scenario]["complaints"] == []
    assert len(theirs) == ROWS_OF_EQUAL_CALLS[scenario]
    assert in_order(ours) == in_order(theirs)


@pytest.mark.parametrize("scenario", LOST_BY_THE_HANDLER)
def test_what_the_handler_loses_is_sent(scenario: str, recorded: Mapping[str, Any]) -> None:
    found = recorded[scenario]
    [complaint] = found["complaints"]
    assert LOST_BY_THE_HANDLER[scenario] in complaint
    assert found["theirs"] == []
    # The same question asked without streaming or likelihoods.
    assert in_order(found["ours"]) == in_order(recorded["logprobs"]["theirs"])


def test_the_likelihoods_of_a_completion_are_the_same(recorded: Mapping[str, Any]) -> None:
    [theirs], [ours] = (recorded["likelihoods_completion"][side] for side in ("theirs", "ours"))
    assert len(theirs["output_likelihoods"]) > 1
    assert len(ours["output_likelihoods"]) == len(theirs["output_likelihoods"])
    for mine, its in zip(ours["output_likelihoods"], theirs["output_likelihoods"], strict=True):
        assert mine == pytest.approx(its)


def test_the_likelihoods_of_a_chat_are_sent(recorded: Mapping[str, Any]) -> None:
    [ours] = recorded["likelihoods_chat"]["ours"]
    assert "".join(next(iter(token)) for token in ours["output_likelihoods"]) == ours["output_text"]


def test_the_responses_api_has_usage(recorded: Mapping[str, Any]) -> None:
    [theirs], [ours] = (
        in_order(recorded["responses_api"]["theirs"]),
        in_order(recorded["responses_api"]["ours"]),
    )
    [chat] = in_order(recorded["logprobs"]["ours"])
    assert theirs["prompt_tokens"] is theirs["completion_tokens"] is None
    assert {name: ours[name] for name in FIELDS[:4]} == {name: chat[name] for name in FIELDS[:4]}
    assert {name: ours[name] for name in FIELDS[:2]} == {name: theirs[name] for name in FIELDS[:2]}


def test_a_role_of_ones_own_is_lost_by_the_instrumentation(recorded: Mapping[str, Any]) -> None:
    [theirs], [ours] = in_order(recorded["custom_role"]["theirs"]), in_order(recorded["custom_role"]["ours"])
    assert ours == {**theirs, "input_text": theirs["input_text"].replace("critic: ", "Human: ")}
    assert ours != theirs


def test_a_call_that_failed_is_ours_alone(recorded: Mapping[str, Any]) -> None:
    assert recorded["failure"]["theirs"] == []
    [ours] = recorded["failure"]["ours"]
    assert ours["input_text"] == "Human: ERR429"
    assert ours["error_type"]


def test_durations_are_of_the_same_calls(recorded: Mapping[str, Any]) -> None:
    for scenario in ROWS_OF_EQUAL_CALLS:
        for side in ("theirs", "ours"):
            assert all(row["duration"] > 0 for row in recorded[scenario][side]), scenario
