"""A support assistant on LangChain: a chat with history, a streamed answer, a tool, a failing call.

An ordinary LangChain application. It knows nothing of OpenTelemetry or Arthur: how it is started
decides whether its calls are recorded (see README.md beside this file).

    OPENAI_API_KEY=sk-... python support_chat.py

Environment: OPENAI_API_KEY, OPENAI_BASE_URL (any OpenAI-compatible service), MODEL.
"""

from __future__ import annotations

import os
import sys

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openai import OpenAIError

SYSTEM = "Answer in one short sentence."
QUESTIONS = [
    "My parcel has not arrived. What should I do?",
    "What should I tell them?",
    "Thank you!",
]


@tool
def order_status(order_number: str) -> str:
    """Looks up where an order is."""
    return f"Order {order_number} left the warehouse yesterday and arrives tomorrow."


def say(speaker: str, text: object) -> None:
    print(f"{speaker:>9}: {text}", flush=True)


def chat(model: ChatOpenAI) -> list[BaseMessage]:
    """Three turns; each call sends the whole conversation so far."""
    history: list[BaseMessage] = [SystemMessage(SYSTEM)]
    for question in QUESTIONS:
        say("user", question)
        answer = model.invoke([*history, HumanMessage(question)])
        say("assistant", answer.text.strip())
        history += [HumanMessage(question), answer]
    return history


def stream(model: ChatOpenAI) -> None:
    question = "Name three colors."
    say("user", question)
    print("assistant: ", end="")
    for chunk in model.stream(question, stream_usage=True):
        print(chunk.text, end="", flush=True)
    print()


def use_tool(model: ChatOpenAI) -> None:
    """A small model may answer by itself instead of calling the tool: then that is the answer."""
    question = "What is the status of order 1042?"
    say("user", question)
    messages: list[BaseMessage] = [HumanMessage(question)]
    with_tool = model.bind_tools([order_status])
    answer = with_tool.invoke(messages)
    if isinstance(answer, AIMessage) and answer.tool_calls:
        messages.append(answer)
        for call in answer.tool_calls:
            result: ToolMessage = order_status.invoke(call)
            say("tool", result.text)
            messages.append(result)
        answer = with_tool.invoke(messages)
    say("assistant", answer.text.strip())


def fail(model: ChatOpenAI) -> None:
    """Called with a misspelt model: the service refuses, the application goes on."""
    question = "Are you still there?"
    say("user", question)
    try:
        model.invoke(question)
    except OpenAIError as error:
        say("error", f"{type(error).__name__}: {str(error).splitlines()[0]}")


def assistant(model: str) -> ChatOpenAI:
    return ChatOpenAI(model=model, temperature=0, max_completion_tokens=40, max_retries=0)


def main() -> int:
    name = os.environ.get("MODEL", "gpt-4o-mini")
    model = assistant(name)
    chat(model)
    stream(model)
    use_tool(model)
    fail(assistant(f"{name}-misspelt"))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        # The shell's convention for Ctrl-C. An ordinary exit lets what was recorded be sent.
        sys.exit(130)
