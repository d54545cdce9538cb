"""A web application on FastAPI: answers stream into the page, two buttons send feedback to Arthur.

    pip install 'otel-arthur[langchain]' langchain langchain-openai fastapi uvicorn
    export OTEL_EXPORTER_ARTHUR_MODEL_ID=$(otel-arthur onboard web --ground-truth-attribute thumbs_up:BOOLEAN)
    OTEL_TRACES_EXPORTER=arthur opentelemetry-instrument uvicorn web_app:app

Environment: README.md beside this file says where Arthur is; OPENAI_API_KEY, OPENAI_BASE_URL, MODEL.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, StreamingResponse
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

import otel_arthur

PAGE = """<!doctype html><meta charset="utf-8"><title>Ask</title>
<form id="form"><input name="question" size="60" required> <button>Ask</button></form>
<p id="answer"></p>
<p id="buttons" hidden><button value="true">👍</button> <button value="false">👎</button></p>
<script>
  const at = (id) => document.getElementById(id);
  let inference;
  at("form").onsubmit = (event) => {
    event.preventDefault();
    at("answer").textContent = "";
    at("buttons").hidden = true;
    const source = new EventSource("answer?question=" + encodeURIComponent(at("form").question.value));
    source.onmessage = (piece) => { at("answer").textContent += JSON.parse(piece.data); };
    source.addEventListener("end", (end) => {
      source.close();
      inference = JSON.parse(end.data);
      at("buttons").hidden = !inference;
    });
  };
  at("buttons").onclick = (click) => fetch("feedback", {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify({inference_id: inference, thumbs_up: click.target.value === "true"}),
  });
</script>"""

app = FastAPI()
model = ChatOpenAI(model=os.environ.get("MODEL", "gpt-4o-mini"), stream_usage=True)


class Feedback(BaseModel):
    inference_id: str
    thumbs_up: bool


@app.get("/")
def page() -> HTMLResponse:
    return HTMLResponse(PAGE)


@app.get("/answer")
async def answer(question: str) -> StreamingResponse:
    return StreamingResponse(pieces(question), media_type="text/event-stream")


async def pieces(question: str) -> AsyncIterator[str]:
    """The answer piece by piece, then the id of its inference: the buttons need it."""
    with otel_arthur.capture() as calls:
        async for chunk in model.astream(question):
            yield f"data: {json.dumps(chunk.text)}\n\n"
    yield f"event: end\ndata: {json.dumps(calls[-1] if calls else None)}\n\n"


@app.post("/feedback")
def feedback(given: Feedback) -> bool:
    """Ground truth for the v3 platform. The Arthur Engine takes `record_feedback(inference_id, score=1)`."""
    return otel_arthur.record_ground_truth(given.inference_id, thumbs_up=given.thumbs_up)
