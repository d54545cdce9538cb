"""Writers of frameworks and products that have words of their own."""

from __future__ import annotations

import json

from otel_arthur.genai.span import EventView
from tests.genai.spans import END, START
from tests.genai.written import MODEL, Written, chat

_LLAMA = "LLMChatEndEvent"


def genkit(question: str, answer: str) -> Written:
    asked = {"messages": [{"role": "user", "content": [{"text": question}]}]}
    said = {"message": {"role": "model", "content": [{"text": answer}]}, "finishReason": "stop"}
    return Written(
        {
            "genkit:type": "action",
            "genkit:metadata:subtype": "model",
            "genkit:name": "openai/wren-1",
            "genkit:input": json.dumps(asked),
            "genkit:output": json.dumps(said),
        }
    )


def haystack(question: str, answer: str) -> Written:
    asked = {"messages": [{"role": "user", "meta": {}, "name": None, "content": [{"text": question}]}]}
    said = {"replies": [{"role": "assistant", "meta": {}, "name": None, "content": [{"text": answer}]}]}
    return Written(
        {
            "haystack.component.type": "OpenAIChatGenerator",
            "haystack.component.input": json.dumps(asked),
            "haystack.component.output": json.dumps(said),
        }
    )


def haystack_repr(question: str, answer: str) -> Written:
    message = (
        "{{'messages': [ChatMessage(_role=<ChatRole.USER: 'user'>, _content=[TextContent(text={!r})], "
        "_name=None, _meta={{}})], 'tools': [Tool(name='f', function=<function <lambda> at 0x7e9a>)]}}"
    )
    said = {"replies": [{"role": "assistant", "meta": {}, "name": None, "content": [{"text": answer}]}]}
    return Written(
        {
            "haystack.agent.step.llm.input": message.format(question),
            "haystack.agent.step.llm.output": json.dumps(said),
        }
    )


def llama_index(question: str, answer: str) -> Written:
    asked = [{"role": "user", "additional_kwargs": {}, "blocks": [{"block_type": "text", "text": question}]}]
    said = {
        "messages": json.dumps(asked),
        "response.message.role": "assistant",
        "response.message.blocks": json.dumps([{"block_type": "text", "text": answer}]),
    }
    return Written({}, [EventView(_LLAMA, END, said)])


def laminar(question: str, answer: str) -> Written:
    asked, said = chat(question, answer)
    return Written(
        {
            "lmnr.span.type": "LLM",
            "gen_ai.input.messages": json.dumps(asked),
            "gen_ai.output.messages": json.dumps([{"finish_reason": "stop", "message": said}]),
        }
    )


def langtrace(question: str, answer: str) -> Written:
    asked, said = chat(question, answer)
    prompt = EventView("gen_ai.content.prompt", START, {"gen_ai.prompt": json.dumps(asked)})
    completion = EventView("gen_ai.content.completion", END, {"gen_ai.completion": json.dumps([said])})
    return Written({**MODEL, "langtrace.sdk.name": "langtrace-python-sdk"}, [prompt, completion])


def langwatch(question: str, answer: str) -> Written:
    asked = json.dumps({"type": "text", "value": question})
    said = json.dumps({"type": "text", "value": answer})
    return Written({"langwatch.span.type": "llm", "langwatch.input": asked, "langwatch.output": said})


def mastra(question: str, answer: str) -> Written:
    asked, _ = chat(question, answer)
    return Written(
        {
            "mastra.span.type": "model_step",
            "mastra.model_step.input": json.dumps({"body": {"model": "wren-1", "messages": asked}}),
            "mastra.model_step.output": json.dumps({"text": answer, "toolCalls": []}),
        }
    )


def braintrust(question: str, answer: str) -> Written:
    asked, said = chat(question, answer)
    return Written(
        {
            "braintrust.span_attributes": '{"type":"llm"}',
            "braintrust.input_json": json.dumps(asked),
            "braintrust.output_json": json.dumps([{"index": 0, "message": said}]),
        }
    )


def sentry(question: str, answer: str) -> Written:
    asked, _ = chat(question, answer)
    said = {"gen_ai.request.messages": json.dumps(asked), "gen_ai.response.text": json.dumps([answer])}
    return Written({**MODEL, "sentry.op": "gen_ai.chat", **said})


def traceai(question: str, answer: str) -> Written:
    return Written(
        {
            "gen_ai.span.kind": "LLM",
            "gen_ai.input.messages.0.message.role": "user",
            "gen_ai.input.messages.0.message.content": question,
            "gen_ai.output.messages.0.message.role": "assistant",
            "gen_ai.output.messages.0.message.content": answer,
        }
    )


def monocle(question: str, answer: str) -> Written:
    asked = EventView("data.input", START, {"input": [json.dumps({"user": question})]})
    said = EventView("data.output", END, {"response": json.dumps({"assistant": answer})})
    attributes = {"span.type": "inference", "entity.1.type": "inference.openai", "entity.2.name": "wren-1"}
    return Written(attributes, [asked, said])


def _conventional(question: str, answer: str) -> dict[str, str]:
    asked, said = ([{"parts": [{"type": "text", "content": words}]}] for words in (question, answer))
    return {
        "gen_ai.input.messages": json.dumps([{"role": "user", **asked[0]}]),
        "gen_ai.output.messages": json.dumps([{"role": "assistant", **said[0]}]),
    }


def koog(question: str, answer: str) -> Written:
    return Written({"koog.event.id": "e1", **MODEL, **_conventional(question, answer)})


def quarkus(question: str, answer: str) -> Written:
    return Written({"gen_ai.request.model": "wren-1", "gen_ai.prompt": question, "gen_ai.completion": answer})


def gemini_cli(question: str, answer: str) -> Written:
    operation = {"gen_ai.operation.name": "llm_call", "gen_ai.request.model": "wren-1"}
    return Written({**operation, **_conventional(question, answer)})
