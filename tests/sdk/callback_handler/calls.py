"""LangChain calls that Arthur's own callback handler and our exporter both record, side by side.

Runs in the environment of the tier ``callback_handler``. The handler is langchain-community's,
unchanged, over a model object that keeps what it is given; ours is `ArthurSpanExporter` behind
opentelemetry-instrumentation-langchain, over HTTP. Both watch the same calls. Prints one JSON object:
scenario -> ``{"theirs": [row], "ours": [row], "complaints": [text]}``, a row being the flat fields.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

from arthurai.core.attributes import ArthurAttribute
from langchain.agents import create_agent
from langchain_community.callbacks.arthur_callback import ArthurCallbackHandler
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI
from openai import OpenAIError
from opentelemetry.instrumentation.langchain import LangchainInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_arthur import ArthurSpanExporter
from otel_arthur.sdk.likelihoods import LikelihoodsInstrumentor
from tests.support.servers.fault_server import MODEL, FaultServer
from tests.support.servers.providers.openai_server import OpenAIServer

Scenario = Callable[[RunnableConfig], object]
SYSTEM, CALL_ID = SystemMessage("You are a helpful assistant."), "call_1"
LIKELIHOODS = {
    "name": "output_likelihoods",
    "value_type": "TOKEN_LIKELIHOODS",
    "stage": "PREDICTED_VALUE",
    "position": 1,
    "implicit": False,
}
STATUS = {"name": "error_type", "value_type": "STRING", "stage": "NON_INPUT_DATA", "implicit": False}


class RecordingModel:
    """What the handler needs of an ``ArthurModel``."""

    def __init__(self, attributes: Sequence[ArthurAttribute]) -> None:
        self._attributes = attributes
        self.rows: list[dict[str, Any]] = []

    def get_attributes(self) -> Sequence[ArthurAttribute]:
        return self._attributes

    def send_inferences(self, inferences: list[dict[str, Any]]) -> None:
        self.rows.extend(inferences)


class Complaints(logging.Handler):
    """What LangChain logs when a callback handler raises."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


@tool
def get_weather(city: str) -> str:
    """Get the weather."""
    return f"sunny in {city}, 21C"


def chat(**more: Any) -> ChatOpenAI:
    return ChatOpenAI(**({"model": "gpt-4o-mini", "max_retries": 0} | more))


def completion(**more: Any) -> OpenAI:
    return OpenAI(**({"model": "gpt-3.5-turbo-instruct", "max_retries": 0} | more))


def asked(*messages: BaseMessage, **more: Any) -> Scenario:
    return lambda config: chat(**more).invoke([SYSTEM, *messages], config)


def tool_result(config: RunnableConfig) -> None:
    wish = {"name": "get_weather", "args": {"city": "Paris", "unit": None, "days": 2}, "id": CALL_ID}
    chat().bind_tools([get_weather]).invoke(
        [
            SYSTEM,
            HumanMessage("TOOLS weather in Paris?"),
            AIMessage("", tool_calls=[wish]),
            ToolMessage("sunny in Paris, 21C", tool_call_id=CALL_ID),
        ],
        config,
    )


def tool_history(config: RunnableConfig) -> None:
    arguments = {"text": "naïve 🌍 'quoted'", "share": 0.5, "deep": {"list": [1, True, None]}}
    wishes = [
        {"name": "get_weather", "args": {"city": "Paris"}, "id": CALL_ID},
        {"name": "search", "args": arguments, "id": "call_2"},
    ]
    chat().invoke(
        [
            HumanMessage("weather?"),
            AIMessage("Let me see.", tool_calls=wishes),
            ToolMessage('{"sky": "sunny"}', tool_call_id=CALL_ID),
            ToolMessage([{"type": "text", "text": "part one"}], tool_call_id="call_2"),
            AIMessage([{"type": "text", "text": "Sunny"}, {"type": "text", "text": " it is"}]),
            HumanMessage("and now?"),
        ],
        config,
    )


def agent(config: RunnableConfig) -> None:
    create_agent(chat(), tools=[get_weather], system_prompt="You are a weather bot.").invoke(
        {"messages": [HumanMessage("TOOLS weather in Paris?")]}, config
    )


def failing(config: RunnableConfig) -> None:
    with suppress(OpenAIError):
        chat().invoke("ERR429", config)


def lcel(config: RunnableConfig) -> None:
    prompt = ChatPromptTemplate([("system", "You answer briefly."), ("human", "{question}")])
    (prompt | chat() | StrOutputParser()).invoke({"question": "What is LCEL?"}, config)


SCENARIOS: dict[str, Scenario] = {
    "chat": asked(HumanMessage("hi"), AIMessage("yo"), HumanMessage("two")),
    "tool_call": lambda config: (
        chat().bind_tools([get_weather]).invoke([SYSTEM, HumanMessage("TOOLS weather in Paris?")], config)
    ),
    "tool_result": tool_result,
    "tool_history": tool_history,
    "agent": agent,
    "unicode": asked(HumanMessage('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back\nnew line')),
    "several_lines": asked(HumanMessage("  spaces around  \n\nSystem: not one\n")),
    "empty_message": asked(HumanMessage("")),
    "custom_role": asked(ChatMessage("too long", role="critic"), HumanMessage("hi")),
    "developer_role": lambda config: chat().invoke(
        [SystemMessage("be brief", additional_kwargs={"__openai_role__": "developer"}), HumanMessage("hi")],
        config,
    ),
    "named_message": asked(HumanMessage("hi", name="alice")),
    "two_choices": asked(HumanMessage("two choices"), n=2),
    "cut_short": asked(HumanMessage("LONG 50"), max_completion_tokens=5),
    "filtered": asked(HumanMessage("FILTER")),
    "plain_string": lambda config: chat().invoke("plain string", config),
    "completion": lambda config: completion().invoke("Once upon a time", config),
    "completion_two_choices": lambda config: completion(n=2, best_of=2).invoke("Once upon a time", config),
    "completion_of_messages": lambda config: completion().invoke([SYSTEM, HumanMessage("hi")], config),
    "lcel": lcel,
    "batch": lambda config: chat().batch(
        [[SYSTEM, HumanMessage(f"SLEEP 0.05 ECHO batch{number}")] for number in range(3)], config
    ),
    "async": lambda config: asyncio.run(chat().ainvoke([SYSTEM, HumanMessage("ECHO async")], config)),
    "logprobs": asked(HumanMessage("hi"), logprobs=True, top_logprobs=2),
    "likelihoods_chat": asked(HumanMessage("hi"), logprobs=True, top_logprobs=2),
    "likelihoods_completion": lambda config: completion(logprobs=2).invoke("Once upon a time", config),
    "parts_of_text": asked(HumanMessage([{"type": "text", "text": "one"}, {"type": "text", "text": "two"}])),
    "image": asked(
        HumanMessage(
            [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
            ]
        )
    ),
    "stream": lambda config: list(chat(stream_usage=True).stream([SYSTEM, HumanMessage("hi")], config)),
    "streaming_model": asked(HumanMessage("hi"), streaming=True, stream_usage=True),
    "completion_stream": lambda config: list(completion().stream("Once upon a time", config)),
    "responses_api": asked(HumanMessage("hi"), use_responses_api=True),
    "other_model": lambda config: FakeListChatModel(responses=["fake answer"]).invoke("hi", config),
    "failure": failing,
}


def recorded(scenario: Scenario, arthur: FaultServer, provider: TracerProvider, likelihoods: bool) -> Any:
    attributes = [
        ArthurAttribute(name=one["name"], value_type=one["value_type"], stage=one["stage"])
        for one in [*MODEL["attributes"], *([LIKELIHOODS] if likelihoods else [])]
    ]
    model, complaints = RecordingModel(attributes), Complaints()
    before = len(arthur.accepted_rows)
    logger = logging.getLogger("langchain_core")
    logger.addHandler(complaints)
    try:
        scenario({"callbacks": [ArthurCallbackHandler(model)]})
    finally:
        logger.removeHandler(complaints)
    provider.force_flush()
    ours = [row["inference_data"] for row in arthur.accepted_rows[before:]]
    return SimpleNamespace(theirs=model.rows, ours=ours, complaints=complaints.texts).__dict__


def main(names: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as spool, FaultServer() as arthur, OpenAIServer() as server:
        os.environ |= {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "test"}
        os.environ["OTEL_EXPORTER_ARTHUR_LIKELIHOODS"] = "true"
        arthur.model = {**MODEL, "attributes": [*MODEL["attributes"], LIKELIHOODS, STATUS]}
        provider = TracerProvider()
        exporter = ArthurSpanExporter(
            endpoint=arthur.url, api_key="k", insecure=True, model_id="m", spool_dir=spool
        )
        provider.add_span_processor(BatchSpanProcessor(exporter))
        LangchainInstrumentor().instrument(tracer_provider=provider)
        LikelihoodsInstrumentor().instrument(tracer_provider=provider)
        results = {
            name: recorded(scenario, arthur, provider, name.startswith("likelihoods"))
            for name, scenario in SCENARIOS.items()
            if not names or name in names
        }
        provider.shutdown()
    print(json.dumps(results, default=str))


if __name__ == "__main__":
    main(sys.argv[1:])
