"""OpenAI's client without a framework: one whole answer, one streamed.

By OpenLLMetry:

    pip install otel-arthur openai opentelemetry-instrumentation-openai

or by OpenInference:

    pip install otel-arthur openai openinference-instrumentation-openai

Then:

    OTEL_TRACES_EXPORTER=arthur opentelemetry-instrument python plain_openai.py "Name three colours."

Environment: README.md beside this file says where Arthur is; OPENAI_API_KEY, OPENAI_BASE_URL, MODEL.
"""

from __future__ import annotations

import os
import sys

from openai import OpenAI


def main() -> None:
    question = " ".join(sys.argv[1:]) or "Name three colours."
    client, model = OpenAI(), os.environ.get("MODEL", "gpt-4o-mini")
    answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": question}])
    print(answer.choices[0].message.content)
    chunks = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": question}],
        stream=True,
        stream_options={"include_usage": True},
    )
    for chunk in chunks:
        if chunk.choices:
            print(chunk.choices[0].delta.content or "", end="", flush=True)
    print()


if __name__ == "__main__":
    main()
