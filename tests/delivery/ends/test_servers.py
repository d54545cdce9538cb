"""SIGTERM under the servers that Python applications run in: what was handed over arrives, each call once.

Real servers and a real Celery worker, real LangChain under ``opentelemetry-instrument``, local Arthur. The
batch processor is told to wait an hour, so all spans are in its queue when the signal comes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from otel_arthur.local.server import LocalArthur
from tests.support.processes.running import serving
from tests.support.servers.account import onboarded, presentations
from tests.support.servers.ports import free_port
from tests.support.servers.providers.openai_server import OpenAIServer
from tests.support.waiting import PATIENCE, eventually

INSTRUMENT = str(Path(sys.executable).with_name("opentelemetry-instrument"))
AN_HOUR = "3600000"
PATIENT = ("--timeout-worker-healthcheck", "240")
"""uvicorn kills a worker that does not answer within 5 s: one that still starts on a busy machine."""

WSGI = """
from urllib.parse import unquote
from langchain_openai import ChatOpenAI
llm = ChatOpenAI(model="m")
def application(environ, start_response):
    text = llm.invoke("ECHO " + environ["PATH_INFO"].strip("/")).text
    start_response("200 OK", [("Content-Length", str(len(text)))])
    return [text.encode()]
"""
ASGI = """
from langchain_openai import ChatOpenAI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
llm = ChatOpenAI(model="m")
async def answer(request):
    return PlainTextResponse((await llm.ainvoke("ECHO " + request.path_params["text"])).text)
"""
LIFESPAN = """
from contextlib import asynccontextmanager
from otel_arthur import instrument
provider = instrument()
@asynccontextmanager
async def lifespan(app):
    yield
    provider.shutdown()
app = Starlette(routes=[Route("/{text}", answer)], lifespan=lifespan)
"""
ANOTHER_RECORDER = """
from opentelemetry import trace
trace.get_tracer("com.anthropic.sdk.python")  # so calls wait in the duplicate window
"""
TASKS = """
from celery import Celery
from langchain_openai import ChatOpenAI
app = Celery("tasks")
app.conf.update(
    broker_url="filesystem://", worker_prefetch_multiplier=1, worker_hijack_root_logger=False,
    broker_transport_options={"data_folder_in": "queue", "data_folder_out": "queue"},
)
@app.task
def ask(text):
    with open("answers", "a") as answers:
        answers.write(ChatOpenAI(model="m").invoke("ECHO " + text).text + "\\n")
"""
IN_THE_CHILD = """
from celery.signals import worker_process_init
from otel_arthur import instrument
@worker_process_init.connect
def begin(**_fields):
    instrument()
"""


class Backend:
    """Local Arthur with one model, and a model server: what an application needs around it."""

    def __init__(self, arthur: LocalArthur, server: OpenAIServer, spool_dir: Path) -> None:
        self._arthur = arthur
        self._model = onboarded(arthur)
        self.environ = {
            **os.environ,
            "PYTHONWARNINGS": "ignore",
            "OPENAI_BASE_URL": server.base_url,
            "OPENAI_API_KEY": "test",
            "OTEL_TRACES_EXPORTER": "arthur",
            "OTEL_BSP_SCHEDULE_DELAY": AN_HOUR,
            "OTEL_EXPORTER_ARTHUR_ENDPOINT": arthur.url,
            "OTEL_EXPORTER_ARTHUR_API_KEY": arthur.api_key,
            "OTEL_EXPORTER_ARTHUR_MODEL_ID": self._model,
            "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(spool_dir),
        }

    def texts(self) -> list[str]:
        rows = self._arthur.store.inferences(self._model, limit=1000).inferences
        return sorted(row.inference_data["output_text"] for row in rows)

    def presented_once(self) -> bool:
        return set(Counter(presentations(self._arthur, self._model)).values()) <= {1}


@pytest.fixture
def backend(spool_dir: Path) -> Iterator[Backend]:
    with LocalArthur() as arthur, OpenAIServer() as server:
        yield Backend(arthur, server, spool_dir)


@pytest.fixture
def serve(backend: Backend, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    with serving(backend.environ, tmp_path / "stderr", cwd=tmp_path, errors_alone=True) as run:

        def start(*command: str, instrumented: bool = True, **extra: str) -> subprocess.Popen[bytes]:
            return run(*([INSTRUMENT] if instrumented else []), sys.executable, "-m", *command, **extra)

        yield start


def ask(port: int, text: str) -> str:
    """The answer of the server, once it listens."""

    def answer() -> str:
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/{text}", timeout=PATIENCE).read().decode()
        except (urllib.error.URLError, ConnectionError):
            return ""

    return eventually(answer, f"the server answers on port {port}", 240)


def ended(process: subprocess.Popen[bytes], folder: Path) -> str:
    """Ends it with SIGTERM; all that it said."""
    process.terminate()
    process.wait(PATIENCE)
    said = (folder / "stderr").read_text()
    assert "Traceback" not in said, said
    return said


def test_gunicorn(backend: Backend, serve: Callable[..., subprocess.Popen[bytes]], tmp_path: Path) -> None:
    (tmp_path / "served.py").write_text(WSGI)
    port = free_port()
    process = serve("gunicorn", "--workers", "2", "--bind", f"127.0.0.1:{port}", "served")
    asked = sorted(ask(port, f"question-{number}") for number in range(20))
    assert backend.texts() == []
    said = ended(process, tmp_path)
    assert backend.texts() == asked, said
    assert backend.presented_once()


@pytest.mark.parametrize("how", ["--workers=1", "--workers=2", "--reload"])
def test_uvicorn_with_the_one_variable(
    backend: Backend, serve: Callable[..., subprocess.Popen[bytes]], tmp_path: Path, how: str
) -> None:
    (tmp_path / "served.py").write_text(ASGI + 'app = Starlette(routes=[Route("/{text}", answer)])\n')
    port = free_port()
    process = serve("uvicorn", "served:app", "--port", str(port), how, *PATIENT)
    asked = sorted(ask(port, f"question-{number}") for number in range(20))
    assert backend.texts() == []
    said = ended(process, tmp_path)
    assert backend.texts() == asked, said
    assert backend.presented_once()


@pytest.mark.parametrize("how", ["zero code", "the distro", "in each child"])
def test_celery_prefork(
    backend: Backend, serve: Callable[..., subprocess.Popen[bytes]], tmp_path: Path, how: str
) -> None:
    (tmp_path / "tasks.py").write_text(TASKS + (IN_THE_CHILD if how == "in each child" else ""))
    (tmp_path / "queue").mkdir()
    process = serve(
        *("celery", "-A", "tasks", "worker", "--pool", "prefork", "--concurrency", "2"),
        *("--loglevel", "INFO", "--without-mingle", "--without-gossip", "--without-heartbeat"),
        **({"OTEL_PYTHON_DISTRO": "arthur"} if how == "the distro" else {}),
        instrumented=how != "in each child",
    )
    client = "import tasks\nfor n in range(12): tasks.ask.apply_async([f'task-{n}'])"
    subprocess.run([sys.executable, "-c", client], env=backend.environ, cwd=tmp_path, check=True)
    answers = tmp_path / "answers"
    eventually(lambda: answers.exists() and len(answers.read_text().splitlines()) == 12, "all tasks are done")
    assert backend.texts() == []
    said = ended(process, tmp_path)
    assert backend.texts() == sorted(answers.read_text().splitlines()), said
    assert backend.presented_once()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_uvicorn_with_a_shutdown_in_the_lifespan(
    backend: Backend, serve: Callable[..., subprocess.Popen[bytes]], tmp_path: Path, workers: str
) -> None:
    (tmp_path / "served.py").write_text(ASGI + LIFESPAN)
    port = free_port()
    options = ("--port", str(port), "--workers", workers, *PATIENT)
    process = serve("uvicorn", "served:app", *options, instrumented=False)
    asked = sorted(ask(port, f"question-{number}") for number in range(20))
    assert backend.texts() == []
    said = ended(process, tmp_path)
    assert backend.texts() == asked, said
    assert backend.presented_once()


def test_what_uvicorn_handed_over_is_there_for_the_next_run(
    backend: Backend, serve: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    """Where SIGTERM is left alone, uvicorn ends by the signal itself, so no exit handler runs."""
    app = 'app = Starlette(routes=[Route("/{text}", answer)])\n'
    (tmp_path / "served.py").write_text(ASGI + app + ANOTHER_RECORDER)
    port = free_port()
    process = serve(
        *("uvicorn", "served:app", "--port", str(port)),
        OTEL_BSP_SCHEDULE_DELAY="100",
        OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW="300",
        OTEL_EXPORTER_ARTHUR_FLUSH_ON_SIGTERM="false",
    )
    asked = sorted(ask(port, f"question-{number}") for number in range(20))
    spool = [sys.executable, "-m", "otel_arthur", "spool"]

    def spooled() -> int:
        done = subprocess.run(
            [*spool, "status", "--json"], env=backend.environ, capture_output=True, check=True
        )
        return sum(one["inferences"] for one in orjson.loads(done.stdout)["destinations"])

    eventually(lambda: spooled() == 20, "all calls are in the spool")
    ended(process, tmp_path)
    assert backend.texts() == []
    subprocess.run([*spool, "drain"], env=backend.environ, check=True, capture_output=True)
    assert backend.texts() == asked
    assert backend.presented_once()
