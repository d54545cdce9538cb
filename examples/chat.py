"""A chat on the command line: the history grows, answers stream, `q` ends it.

Ctrl-C stops an answer, which stays in the history as far as it came; at the prompt it ends the chat.

The loop of Arthur's guide for its LangChain callback handler, without the handler: how the program
is started decides whether its calls are recorded (see README.md beside this file).

    OPENAI_API_KEY=sk-... python chat.py

Environment: OPENAI_API_KEY, OPENAI_BASE_URL (any OpenAI-compatible service), MODEL.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing

try:
    from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
    from langchain_openai import ChatOpenAI
    from openai import OpenAIError
except KeyboardInterrupt:  # they take a second
    sys.exit(130)

END_WORDS = {"q", "quit", "exit"}


def answer(model: ChatOpenAI, history: list[BaseMessage]) -> str:
    """Prints the answer as it comes and returns what came of it: on Ctrl-C that is not all."""
    text = ""
    print("assistant: ", end="", flush=True)
    try:
        # Closed at once when it is left: its call ends then, and is recorded as broken off.
        with closing(model.stream(history)) as chunks:
            for chunk in chunks:
                text += chunk.text
                print(chunk.text, end="", flush=True)
    except KeyboardInterrupt:
        print(" (stopped)", end="")
    print(flush=True)
    return text


def main() -> int:
    try:
        model = ChatOpenAI(model=os.environ.get("MODEL", "gpt-4o-mini"), stream_usage=True)
    except OpenAIError as error:
        print(str(error).splitlines()[0], file=sys.stderr)
        return 1
    history: list[BaseMessage] = [SystemMessage("You are a helpful assistant.")]
    print("Ask anything; q quits.", flush=True)
    while True:
        try:
            question = input("you: ").strip()
        except EOFError:
            print()
            return 0
        if question.lower() in END_WORDS:
            return 0
        if not question:
            continue
        history.append(HumanMessage(question))
        try:
            text = answer(model, history)
        except OpenAIError as error:
            text = ""
            print(f"\nerror: {type(error).__name__}: {str(error).splitlines()[0]}")
        if text:
            history.append(AIMessage(text))
        else:
            history.pop()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        # The shell's convention for Ctrl-C. An ordinary exit lets what was recorded be sent.
        print()
        sys.exit(130)
