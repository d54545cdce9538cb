"""A LangChain agent with a tool: each model call is an inference. The Arthur Engine gets the whole trace.

    pip install 'otel-arthur[langchain]' langchain langchain-openai
    OTEL_TRACES_EXPORTER=arthur opentelemetry-instrument python agent.py "Do I need an umbrella in Paris?"

Environment: README.md beside this file says where Arthur is; OPENAI_API_KEY, OPENAI_BASE_URL, MODEL.
"""

from __future__ import annotations

import os
import sys

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def get_weather(city: str) -> str:
    """Tells the weather in a city."""
    return f"{city}: 21 degrees, sunny."


def main() -> None:
    question = " ".join(sys.argv[1:]) or "Do I need an umbrella in Paris?"
    model = ChatOpenAI(model=os.environ.get("MODEL", "gpt-4o-mini"))
    agent = create_agent(model, tools=[get_weather], system_prompt="Use the tools. Answer in one sentence.")
    answer = agent.invoke({"messages": [("user", question)]})
    print(answer["messages"][-1].text)


if __name__ == "__main__":
    main()
