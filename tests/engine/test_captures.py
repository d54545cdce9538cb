"""Every recorded call through the exporter into a strict Engine: one LLM span each, with the true tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatch

import pytest

from tests.engine.comparison import PAGE, Compared, compared, page_with, table
from tests.genai.matrix.products import UNSEEN
from tests.genai.matrix.truth import calls_served

pytestmark = pytest.mark.xdist_group("engine captures")
"""All calls are sent once for all tests, not once in each worker."""

OTHER_CALLS: Mapping[str, str] = {
    "genai-*/h_completion": "it records no completions",
    "monocle-*/h_completion": "it records no completions",
    "agent-framework-*/e_err429": "one span for all tries of the client",
    "pydantic-ai-*/e_err429": "one span for all tries of the client",
    "*/z_fake_model": "a model without a server",
    "logfire-*/z_abandoned": "it records no stream that was abandoned",
    "mlflow-*/z_abandoned": "it records no stream that was abandoned",
    "traceai-*/z_abandoned": "it records no stream that was abandoned",
    "monocle-*/t_stream_error": "it records no stream that broke",
    "main-road-*/anthropic/z_abandoned": "two traces, and neither span tells anything of the other",
    "genkit-js-*/e_err429": "one span for all tries of the client",
    **{f"{name}/*/{scenario}": "it has no span" for name, missing in UNSEEN.items() for scenario in missing},
}
OTHER_TOKENS: Mapping[str, str] = {
    "*/t_stream_error": "no usage came",
    "*/t_cut_stream": "no usage came",
    "*/z_abandoned": "no usage came",
    "*/u_stream_no_usage": "no usage came",
    "haystack-*/content_false/*": "it records usage with the content alone",
    "*haystack-*/b_stream": "it records no usage of streams",
    "*llama-index-*/b_stream": "it records no usage of streams",
    "pydantic-ai-1.9.1/*": "it records usage on the agent's span alone",
    "oll-anthropic-*/b_stream": "it counts the tokens of streams itself",
    **{
        f"{name}-*/b_stream": "it records no usage of streams"
        for name in ("langtrace-js", "oi-autogen", "oi-groq", "oi-portkey")
    },
    "logfire-agents-*/chat/b_stream": "it records no usage of streams",
    "oi-openai-agents-*/chat/b_stream": "it records no usage of streams",
    "traceloop-js-*stream": "it records no usage of streams",
    "oi-dspy-*": "it records no usage",
    "adk-js-*/content_false/*": "its counts leave out the thoughts where it records no content",
    "gemini-cli-*/content_false/*": "it records usage with the content alone",
    "gemini-cli-*/default/*": "its counts leave out the thoughts",
    "genkit-go-*/b_stream": "it records no usage of streams",
    "langwatch-js-langchain-*/l_responses": "it records no usage of the Responses API",
    "spring-ai-1*/b_stream": "it records zeros for streams",
    "spring-ai-1*/d_tools": "it adds the first call's usage to the second's",
    "oll-langchain-*/content_false/i_n2": "it adds up the usage of each choice, whose number is not told",
}
"""Why figures may differ from the server's log: capture -> reason."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Compared]:
    return compared(tmp_path_factory.mktemp("captures"))


def differing(found: list[Compared], excused: Mapping[str, str], what: str) -> list[str]:
    lines: list[str] = []
    used: set[str] = set()
    for one in found:
        served = calls_served(one.capture)
        answered = [call for call in served if call["status"] == 200]
        expected = {
            "calls": len(served),
            "tokens": sum(call["prompt_tokens"] + call["completion_tokens"] for call in answered),
        }[what]
        pattern = next((pattern for pattern in excused if fnmatch(str(one.capture), pattern)), None)
        if getattr(one.ours, what) == expected:
            continue
        if pattern is None:
            lines.append(f"{one.capture}: {expected} {what}, found {getattr(one.ours, what)}")
        else:
            used.add(pattern)
    return [*lines, *(f"{pattern} excuses nothing" for pattern in excused if pattern not in used)]


def test_each_served_call_is_one_llm_span(found: list[Compared]) -> None:
    assert differing(found, OTHER_CALLS, "calls") == []


def test_each_served_call_has_the_true_tokens(found: list[Compared]) -> None:
    assert (
        differing(
            [one for one in found if one.ours.calls == len(calls_served(one.capture))], OTHER_TOKENS, "tokens"
        )
        == []
    )


def test_each_trace_is_one_tree_and_has_input_and_output(found: list[Compared]) -> None:
    """Where the words of the calls below its root were recorded, and none of them failed."""
    for one in found:
        ids = {(span.trace_id, span.span_id) for span in one.spans}
        recorded = {(view.trace_id, view.span_id) for view in one.views}
        for span in one.spans:
            parent = (span.trace_id, span.parent_span_id)
            assert span.parent_span_id is None or parent in ids or parent not in recorded, one.capture
            assert not any(key.startswith("gen_ai") for key in span.attributes)
        for root in [span for span in one.spans if span.parent_span_id is None]:
            calls = [span for span in one.spans if span.trace_id == root.trace_id and span.kind == "LLM"]
            texts = [call.attributes.get(key) for call in calls for key in ("input.value", "output.value")]
            if calls and all(texts):
                assert root.attributes.get("input.value"), one.capture
                assert root.attributes.get("output.value"), one.capture


def test_raw_spans_of_other_conventions_are_nothing_there(found: list[Compared]) -> None:
    # traceAI has the two attributes of OpenInference for input and output, but no kind.
    own = re.compile("oi-|traceai-")
    others = [one for one in found if not own.search(one.capture.recording)]
    assert sum(one.raw.calls for one in others) == sum(one.raw.tokens for one in others) == 0
    assert sum(one.raw.whole for one in others) == 0
    assert sum(one.ours.calls for one in others) > 700


def test_the_page_has_these_figures(found: list[Compared]) -> None:
    assert page_with(table(found)) == PAGE.read_text(encoding="utf-8"), (
        "run python -m tests.engine.comparison"
    )
