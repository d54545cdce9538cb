"""A batch job: answers the questions of a file, eight at a time, and keeps the id of each inference.

    pip install 'otel-arthur[langchain]' langchain langchain-openai
    OTEL_TRACES_EXPORTER=arthur opentelemetry-instrument python batch.py < questions.txt > answers.jsonl

One question a line in, one JSON object a line out. Ground truth comes later: put the right answers beside the
ids, as `expected_text`, and run `otel-arthur ground-truth answers.jsonl`.

Environment: README.md beside this file says where Arthur is; OPENAI_API_KEY, OPENAI_BASE_URL, MODEL.
"""

from __future__ import annotations

import json
import os
import sys

from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from openai import OpenAIError

from otel_arthur import capture

MODEL = ChatOpenAI(model=os.environ.get("MODEL", "gpt-4o-mini"))


def answer(question: str) -> dict[str, str | None]:
    """One failed call spoils no other."""
    with capture() as calls:
        try:
            text, error = MODEL.invoke(question).text, None
        except OpenAIError as failure:
            text, error = "", type(failure).__name__
    inference_id = calls[-1] if calls else None
    return {"partner_inference_id": inference_id, "question": question, "answer": text, "error": error}


def main() -> None:
    questions = [line.strip() for line in sys.stdin if line.strip()]
    for row in RunnableLambda(answer).batch(questions, {"max_concurrency": 8}):
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
