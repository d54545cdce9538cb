"""`Step` as the attributes of an OpenInference span: only attributes of this module go to the Engine.

Source: as `openinference`.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from otel_arthur.engine.openinference.calls import INPUT, KIND, OUTPUT, put_text
from otel_arthur.engine.openinference.safe_values import SafeAttributes, Value
from otel_arthur.genai.steps.step import Step
from otel_arthur.inference import transcript
from otel_arthur.inference.privacy import Privacy, TextRules, Texts

_MODELS: Final = {"EMBEDDING": "embedding.model_name", "RERANKER": "reranker.model_name"}


def attributes_of_step(step: Step, rules: TextRules, mended: Counter[str]) -> dict[str, Value]:
    """The attributes of the span that stands for a step. `rules` and `mended` as for a call."""
    texts = Texts(rules)
    span = SafeAttributes(mended)
    span.put(KIND, step.kind)
    asked = step.input or transcript.transcript(step.messages)
    answered = step.output or ("" if step.answer is None else transcript.answer(step.answer))
    put_text(span, INPUT, texts.apply(asked, Privacy.WORDS))
    put_text(span, OUTPUT, texts.apply(answered, Privacy.WORDS))
    span.put("agent.name", texts.apply(step.agent_name, Privacy.NAME))
    span.put("tool.name", texts.apply(step.tool_name, Privacy.NAME))
    span.put("tool_call.function.name", texts.apply(step.tool_name, Privacy.NAME))
    span.put("tool.id", texts.apply(step.tool_id, Privacy.NAME))
    span.put("tool.description", texts.apply(step.tool_description, Privacy.WORDS))
    span.put_json("tool.parameters", texts.apply(step.tool_arguments, Privacy.WORDS))
    for number, document in enumerate(step.documents):
        span.put(
            f"retrieval.documents.{number}.document.content",
            texts.apply(document, Privacy.WORDS),
        )
    if step.kind in _MODELS:
        span.put(_MODELS[step.kind], texts.apply(step.model, Privacy.NAME))
    span.put("session.id", texts.apply(step.conversation_id, Privacy.NAME))
    span.put("user.id", texts.apply(step.user_id, Privacy.NAME))
    return span.values
