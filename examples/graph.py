"""A LangGraph: one node drafts, one criticises, until the critic is content or three drafts are written.

    pip install 'otel-arthur[langchain]' langchain langchain-openai langgraph
    OTEL_TRACES_EXPORTER=arthur opentelemetry-instrument python graph.py "tea"

`otel_arthur.context` puts the conversation and the user onto each inference, whichever node made the call.
Environment: README.md beside this file says where Arthur is; OPENAI_API_KEY, OPENAI_BASE_URL, MODEL.
"""

from __future__ import annotations

import os
import sys
from typing import TypedDict

from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

import otel_arthur

MODEL = ChatOpenAI(model=os.environ.get("MODEL", "gpt-4o-mini"))


class State(TypedDict):
    subject: str
    draft: str
    critique: str
    drafts: int


def write(state: State) -> dict[str, object]:
    prompt = f"Write one sentence about {state['subject']}. Mind this critique: {state['critique'] or 'none'}"
    return {"draft": MODEL.invoke(prompt).text, "drafts": state["drafts"] + 1}


def criticise(state: State) -> dict[str, object]:
    return {"critique": MODEL.invoke(f"Say OK, or what is wrong with: {state['draft']}").text}


def is_done(state: State) -> str:
    return END if state["critique"].startswith("OK") or state["drafts"] == 3 else "write"


def main() -> None:
    graph = StateGraph(State)
    graph.add_node("write", write)
    graph.add_node("criticise", criticise)
    graph.add_edge(START, "write")
    graph.add_edge("write", "criticise")
    graph.add_conditional_edges("criticise", is_done, ["write", END])
    subject = " ".join(sys.argv[1:]) or "tea"
    with otel_arthur.context(conversation_id=f"draft-{subject}", user_id="editor"):
        done = graph.compile().invoke({"subject": subject, "draft": "", "critique": "", "drafts": 0})
    print(done["draft"])


if __name__ == "__main__":
    main()
