"""Calls in Celery's workers. A worker that ends in order sends its calls first.

    pip install 'otel-arthur[langchain]' langchain langchain-openai 'celery[redis]'
    export CELERY_BROKER_URL=redis://localhost
    OTEL_TRACES_EXPORTER=arthur opentelemetry-instrument celery -A celery_tasks worker

and from another terminal:

    python celery_tasks.py "Write a haiku about queues."

Environment: README.md beside this file says where Arthur is; OPENAI_API_KEY, OPENAI_BASE_URL, MODEL.
"""

from __future__ import annotations

import os
import sys

from celery import Celery
from langchain_openai import ChatOpenAI

app = Celery("celery_tasks")


@app.task
def ask(question: str) -> str:
    return ChatOpenAI(model=os.environ.get("MODEL", "gpt-4o-mini")).invoke(question).text


if __name__ == "__main__":
    # By its name in the worker: here this file is `__main__`.
    app.send_task("celery_tasks.ask", [" ".join(sys.argv[1:]) or "Write a haiku about queues."])
