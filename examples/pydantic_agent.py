"""A Pydantic AI agent with a tool. Pydantic AI records its calls by itself, without an instrumentation.

    pip install otel-arthur 'pydantic-ai-slim[openai]'
    python pydantic_agent.py "What is the weather in Paris?"

Environment: README.md beside this file says where Arthur is; OPENAI_API_KEY, OPENAI_BASE_URL, MODEL.
"""

from __future__ import annotations

import os
import sys

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel

import otel_arthur

otel_arthur.instrument(instrumentations=())
Agent.instrument_all()

agent = Agent(OpenAIChatModel(os.environ.get("MODEL", "gpt-4o-mini")), instructions="Answer in one sentence.")


@agent.tool_plain
def get_weather(city: str) -> str:
    """Tells the weather in a city."""
    return f"{city}: 21 degrees, sunny."


if __name__ == "__main__":
    print(agent.run_sync(" ".join(sys.argv[1:]) or "What is the weather in Paris?").output)
