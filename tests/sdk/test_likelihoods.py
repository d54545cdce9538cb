"""Token likelihoods and time to first token from LangChain's callbacks, on the span of the same run."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackManager
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI, OpenAI
from openai import DefaultAsyncHttpxClient
from opentelemetry import trace
from opentelemetry.instrumentation.langchain import LangchainInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr

from otel_arthur import ArthurSpanExporter
from otel_arthur.arthur.onboarding import model_request
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.reading import read
from otel_arthur.local.server import LocalArthur
from otel_arthur.sdk.inside_the_sdk import attributes_of, view_of
from otel_arthur.sdk.likelihoods import LikelihoodsInstrumentor
from tests.support.servers.account import onboarded
from tests.support.servers.providers.openai_answers import alternatives
from tests.support.servers.providers.openai_server import OpenAIServer

TOP = 2
Model = Callable[..., Any]


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as running:
        yield running


@pytest.fixture
def provider() -> Iterator[TracerProvider]:
    provider = TracerProvider(shutdown_on_exit=False)
    unwrap_langchain()
    LangchainInstrumentor().instrument(tracer_provider=provider)
    yield provider
    LangchainInstrumentor().uninstrument()
    unwrap_langchain()
    provider.shutdown()


def unwrap_langchain() -> None:
    """The instrumentation's own ``uninstrument`` leaves its handler, and with it an old provider, behind."""
    while hasattr(BaseCallbackManager.__init__, "__wrapped__"):
        BaseCallbackManager.__init__ = BaseCallbackManager.__init__.__wrapped__


@pytest.fixture
def likelihoods(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("OTEL_EXPORTER_ARTHUR_LIKELIHOODS", "true")
    LikelihoodsInstrumentor().instrument()
    yield
    LikelihoodsInstrumentor().uninstrument()


@pytest.fixture
def spans(provider: TracerProvider) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


def chat(server: OpenAIServer, **more: Any) -> ChatOpenAI:
    more = {"logprobs": True, "top_logprobs": TOP, "max_retries": 0, **more}
    return ChatOpenAI(base_url=server.base_url, api_key=SecretStr("test"), model="m", **more)


def completion(server: OpenAIServer, **more: Any) -> OpenAI:
    return OpenAI(
        base_url=server.base_url, api_key=SecretStr("test"), model="m", logprobs=TOP, max_retries=0, **more
    )


def calls_in(spans: InMemorySpanExporter) -> list[LLMCall]:
    readings = [read(view_of(span, attributes_of(span))) for span in spans.get_finished_spans()]
    return [reading.call for reading in readings if reading.call is not None]


def expected(tokens: tuple[str, ...], positions: Iterator[int] | None = None) -> list[dict[str, float]]:
    """The server's own rule for its log probabilities, as probabilities."""
    places = positions or iter(range(len(tokens)))
    return [
        {name: math.exp(logprob) for name, logprob in alternatives(token, index, TOP)}
        for token, index in zip(tokens, places, strict=False)
    ]


def check(call: LLMCall, positions: Iterator[int] | None = None) -> None:
    for choice in call.choices:
        assert choice.tokens is not None
        assert choice.likelihoods is not None
        assert "".join(choice.tokens) == choice.message.text
        assert len(choice.tokens) > 1
        assert [dict(one) for one in choice.likelihoods] == [
            pytest.approx(one) for one in expected(choice.tokens, positions)
        ]


async def _ainvoke(make: Model, server: OpenAIServer, words: str) -> None:
    async with DefaultAsyncHttpxClient() as client:
        await make(server, http_async_client=client).ainvoke(words)


async def _astream(make: Model, server: OpenAIServer, words: str) -> None:
    async with DefaultAsyncHttpxClient() as client:
        async for _ in make(server, http_async_client=client).astream(words):
            pass


WAYS: dict[str, Callable[[Model, OpenAIServer, str], object]] = {
    "invoke": lambda make, server, words: make(server).invoke(words),
    "stream": lambda make, server, words: list(make(server).stream(words)),
    "ainvoke": lambda make, server, words: asyncio.run(_ainvoke(make, server, words)),
    "astream": lambda make, server, words: asyncio.run(_astream(make, server, words)),
}


@pytest.mark.filterwarnings("ignore:Unexpected type for token usage")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", [chat, completion])
@pytest.mark.usefixtures("likelihoods")
def test_every_way_to_call(server: OpenAIServer, spans: InMemorySpanExporter, make: Model, way: str) -> None:
    WAYS[way](make, server, "hello")
    (call,) = calls_in(spans)
    # The server streams a completion token by token, each as if it were the first.
    legacy_stream = make is completion and "stream" in way
    check(call, itertools.repeat(0) if legacy_stream else None)
    streamed = "stream" in way
    assert (call.time_to_first_token is not None) == streamed
    if streamed:
        assert 0 < (call.time_to_first_token or 0) <= (call.end_ns - call.start_ns) / 1e9


@pytest.mark.filterwarnings("ignore:Unexpected type for token usage")
@pytest.mark.usefixtures("likelihoods")
def test_choices_have_their_own(server: OpenAIServer, spans: InMemorySpanExporter) -> None:
    chat(server).generate([[HumanMessage("two choices")], [HumanMessage("two more")]], n=2)
    calls = calls_in(spans)
    assert [len(call.choices) for call in calls] == [2, 2]
    for call in calls:
        check(call)
        assert call.choices[0].tokens != call.choices[1].tokens


@pytest.mark.usefixtures("likelihoods")
def test_parallel_calls_are_not_confused(server: OpenAIServer, spans: InMemorySpanExporter) -> None:
    model = chat(server)
    words = [f"REPEAT{i} " + " ".join(f"w{i}" for _ in range(3)) for i in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: list(model.stream(f"ECHO {one}")), words))

    async def many() -> None:
        async with DefaultAsyncHttpxClient() as client:
            model = chat(server, http_async_client=client)
            await asyncio.gather(*(model.ainvoke(f"ECHO {one}") for one in words))

    asyncio.run(many())
    calls = calls_in(spans)
    assert len(calls) == 2 * len(words)
    for call in calls:
        (choice,) = call.choices
        assert choice.tokens is not None
        assert "".join(choice.tokens) == choice.message.text


@pytest.mark.usefixtures("likelihoods")
def test_failed_and_unasked_calls_have_none(server: OpenAIServer, spans: InMemorySpanExporter) -> None:
    with pytest.raises(Exception, match="429"):
        chat(server).invoke("ERR429")
    ChatOpenAI(base_url=server.base_url, api_key=SecretStr("test"), model="m").invoke("hello")
    for span in spans.get_finished_spans():
        assert not [name for name in span.attributes or {} if name.startswith("arthur.")]


@pytest.mark.usefixtures("provider")
def test_nothing_happens_unless_it_is_turned_on(server: OpenAIServer, spans: InMemorySpanExporter) -> None:
    LikelihoodsInstrumentor().instrument()
    try:
        chat(server).invoke("hello")
    finally:
        LikelihoodsInstrumentor().uninstrument()
    (call,) = calls_in(spans)
    assert call.choices[0].tokens is None


def test_with_our_exporter_no_other_backend_sees_them(
    server: OpenAIServer,
    provider: TracerProvider,
    spans: InMemorySpanExporter,
    likelihoods: None,
    tmp_path: Path,
) -> None:
    with LocalArthur() as arthur:
        model_id = onboarded(arthur, model_request("bot", likelihoods=True, tokens=True))
        provider.add_span_processor(
            BatchSpanProcessor(
                ArthurSpanExporter(
                    endpoint=arthur.url,
                    api_key=arthur.api_key,
                    model_id=model_id,
                    spool_dir=tmp_path / "spool",
                )
            )
        )
        list(chat(server).stream("hello"))
        provider.shutdown()
        (row,) = (found.inference_data for found in arthur.store.inferences(model_id, limit=10).inferences)

    (span,) = spans.get_finished_spans()
    assert not [name for name in span.attributes or {} if name.startswith("arthur.")]
    assert row["output_tokens"] == ["Hello", " from", " the", " fake", " model."]
    assert row["output_likelihoods"] == [pytest.approx(one) for one in expected(tuple(row["output_tokens"]))]
    assert row["time_to_first_token"] > 0


def test_an_attribute_that_is_no_likelihood_is_left_out(provider: TracerProvider) -> None:
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    hostile = ['{"a": 1}', "[[1, 2]]", '[[{"x": "y"}]]', "not json", '[[{"a": NaN}]]', "[[]]", "[" * 5000]
    for value in hostile:
        with trace.get_tracer("t", tracer_provider=provider).start_as_current_span("chat") as span:
            span.set_attributes(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": []}]),
                    "arthur.output.tokens": value,
                    "arthur.output.likelihoods": value,
                    "arthur.time_to_first_token": value,
                }
            )
    calls = calls_in(exporter)
    assert len(calls) == len(hostile)
    assert all(call.choices[0].tokens is None and call.time_to_first_token is None for call in calls)
