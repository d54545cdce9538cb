"""What a LangChain application does, one scenario per way of calling a model.

A letter means the same here and in ``scenarios_openai.py``.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from langchain.agents import create_agent
from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings
from openai import OpenAIError
from opentelemetry import trace
from recording import record

SYSTEM = SystemMessage("You are a helpful assistant.")
# One loop for all scenarios: the clients keep connections that belong to a loop.
LOOP = asyncio.new_event_loop()
PIXEL = "iVBORw0KGgo="
IDS = {"session_id": "sess-1", "user_id": "user-9", "conversation_id": "conv-3"}


def chat(**more: Any) -> ChatOpenAI:
    return ChatOpenAI(
        **({"model": "gpt-4o-mini", "temperature": 0.2, "max_completion_tokens": 64, "max_retries": 0} | more)
    )


def embeddings() -> OpenAIEmbeddings:
    # Counting tokens would fetch a vocabulary from the network.
    return OpenAIEmbeddings(check_embedding_ctx_length=False)


def ask(text: str) -> list[BaseMessage]:
    return [SYSTEM, HumanMessage(text)]


@tool
def get_weather(city: str) -> str:
    """Get the weather."""
    return f"sunny in {city}, 21C"


def agent() -> None:
    weather_agent = create_agent(chat(), tools=[get_weather], system_prompt="You are a weather bot.")
    weather_agent.invoke(
        {"messages": [HumanMessage("TOOLS weather in Paris?")]},
        config={"configurable": {"thread_id": "thread-42"}, "metadata": IDS},
    )


def failing(text: str, **more: Any) -> None:
    with suppress(OpenAIError):
        chat(**more).invoke(ask(text))


def broken_stream(text: str) -> None:
    with suppress(OpenAIError):
        list(chat(stream_usage=True).stream(ask(text)))


def retried() -> None:
    chat().with_retry(retry_if_exception_type=(OpenAIError,), wait_exponential_jitter=False).invoke(
        ask("FLAKY 1 ECHO retried")
    )


def fallback() -> None:
    good = chat()
    chat(model="no-such-model").with_fallbacks([good]).invoke(ask("ECHO fallback"))


def lcel() -> None:
    prompt = ChatPromptTemplate([("system", "You answer briefly."), ("human", "{q}")])
    chain = (prompt | chat() | StrOutputParser()).with_config(run_name="my_chain")
    chain.invoke({"q": "What is LCEL?"})


def long_history() -> None:
    turns: list[BaseMessage] = [SYSTEM]
    for number in range(70):
        turns += [HumanMessage(f"question {number}"), AIMessage(f"answer {number}")]
    chat().invoke([*turns, HumanMessage("the last question")])


def user_span() -> None:
    with trace.get_tracer("my-application").start_as_current_span("http-request"):
        chat().invoke(ask("inside user span"))


def image() -> None:
    content: list[Any] = [
        {"type": "text", "text": "What is in this image?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
    ]
    chat().invoke([SYSTEM, HumanMessage(content)])


def metadata() -> None:
    chat().invoke(
        "plain string prompt",
        config={
            "metadata": IDS | {"thread_id": "thr-1"},
            "run_name": "custom_run_name",
            "tags": ["a", "b"],
        },
    )


def rag() -> None:
    store = InMemoryVectorStore(embeddings())
    store.add_documents([Document("doc one"), Document("doc two")])
    [found] = store.as_retriever(search_kwargs={"k": 1}).invoke("two")
    chat().invoke(ask(f"Answer from: {found.page_content}"))


async def async_calls() -> None:
    await asyncio.gather(*(chat().ainvoke(ask(f"SLEEP 0.05 ECHO async{i}")) for i in range(3)))


async def async_stream() -> None:
    async for _ in chat(stream_usage=True).astream(ask("ECHO streamed")):
        pass


SCENARIOS = {
    "a_invoke": lambda: chat().invoke(ask("What is OpenTelemetry?")),
    "b_stream": lambda: list(chat(stream_usage=True).stream(ask("What is OpenTelemetry?"))),
    "c_multiturn": lambda: chat().invoke(
        [SYSTEM, HumanMessage("first question"), AIMessage("first answer"), HumanMessage("second question")]
    ),
    "d_agent": agent,
    "e_err429": lambda: failing("ERR429"),
    "f_lcel": lcel,
    "g_unicode": lambda: chat().invoke(ask('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back')),
    "h_completion": lambda: OpenAI(
        model="gpt-3.5-turbo-instruct", max_tokens=64, temperature=0.2, logprobs=2
    ).invoke("Once upon a time"),
    "i_n2": lambda: chat(n=2).generate([[HumanMessage("two choices")]]),
    "j_batch": lambda: chat().batch([ask(f"SLEEP 0.05 ECHO batch{i}") for i in range(3)]),
    "k_async": lambda: LOOP.run_until_complete(async_calls()),
    "l_responses": lambda: chat(use_responses_api=True).invoke(ask("What is OpenTelemetry?")),
    "m_embeddings": lambda: embeddings().embed_query("hello"),
    "n_retry": retried,
    "o_fallback": fallback,
    "p_long_history": long_history,
    "q_metadata": metadata,
    "r_user_span": user_span,
    "s_image": image,
    "t_stream_error": lambda: broken_stream("STREAMERR"),
    "u_stream_no_usage": lambda: list(chat(stream_usage=False).stream(ask("What is OpenTelemetry?"))),
    "v_responses_stream": lambda: list(chat(use_responses_api=True).stream(ask("What is OpenTelemetry?"))),
    "w_logprobs": lambda: chat(logprobs=True, top_logprobs=2).invoke(ask("What is OpenTelemetry?")),
    "x_async_stream": lambda: LOOP.run_until_complete(async_stream()),
    "y_rag": rag,
    "z_fake_model": lambda: FakeListChatModel(responses=["fake answer"]).invoke(ask("not a real model")),
}

if __name__ == "__main__":
    record(SCENARIOS)
