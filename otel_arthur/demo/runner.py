"""Runs the demo: local Arthur, the model server, and the application under ``opentelemetry-instrument``.

Nothing outlives the context: the application and the model server are children that are waited for,
local Arthur keeps its data in memory, and the spool is in a temporary folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TextIO

from otel_arthur.arthur.client import ArthurClient
from otel_arthur.arthur.onboarding import model_request
from otel_arthur.configuration import Configuration
from otel_arthur.demo.engine import all_traces, llm_rows
from otel_arthur.demo.model_server import ModelServer
from otel_arthur.demo.reconciliation import Reconciliation, in_order, reconcile
from otel_arthur.demo.served_call import JSON, ServedCall
from otel_arthur.local.engine.traces import StoredSpan
from otel_arthur.local.server import LocalArthur
from otel_arthur.printable import printable
from otel_arthur.sdk.distro import other_distros

MODEL_NAME = "otel-arthur-demo"
APPLICATION = "support_chat.py"
OPENAI_URL = "https://api.openai.com/v1"
OPENAI_MODEL = "gpt-4o-mini"
LOCAL_API_KEY = "demo"
"""The own model takes any key, but OpenAI's client wants one."""

INTERRUPTED = 128 + signal.SIGINT
"""The application's exit code after Ctrl-C, as a shell would say it."""

_READY_SECONDS = 30.0
_APPLICATION_SECONDS = 300.0
_INTERRUPTED_SECONDS = 15.0
"""What the application has after Ctrl-C to flush its last spans."""
_ARRIVAL_SECONDS = 5.0
_ROWS = 10_000

_INHERITED_SETTINGS = ("OTEL_", "ARTHUR_", "OPENAI_", "LANGCHAIN_", "LANGSMITH_", "TRACELOOP_", "VERIFY_SSL")
"""Variables of the user's own set-up, kept from the application: the demo is the same everywhere."""


class DemoError(Exception):
    """The demo cannot run; the message says what to do, in one line."""


class DemoNotInstalledError(DemoError):
    """A package of the extra ``demo`` is missing."""


@dataclass(frozen=True, slots=True)
class Service:
    """The real service, in place of the demo's own model."""

    api_key: str
    base_url: str = OPENAI_URL
    model: str = OPENAI_MODEL


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the demo found, while its dashboard is still up."""

    inferences: list[JSON]
    reconciliation: Reconciliation
    dashboard: str
    link: str
    """To the dashboard, for one browser."""
    application_exit_code: int
    variables: dict[str, str]
    """What the application was given; another one with these sends to the same place."""
    traces: list[list[StoredSpan]]
    """What the Engine's face has."""

    @property
    def interrupted(self) -> bool:
        return self.application_exit_code == INTERRUPTED

    @property
    def succeeded(self) -> bool:
        return self.application_exit_code == 0 and self.reconciliation.exact


@contextmanager
def run_demo(
    *,
    service: Service | None = None,
    output: TextIO | None = None,
    traces_exporter: str = "arthur",
    engine: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Generator[Outcome]:
    """Run the application once and compare what arrived with what the model server answered.

    Args:
        service: a real service; default is the demo's own small model.
        output: where the application's conversation goes; default is our own stdout.
        engine: send to the Engine's face instead of the v3 API's.
        traces_exporter: the value of OTEL_TRACES_EXPORTER; with another one the demo must fail.
        say: called with a line before each slow step.

    Raises:
        DemoError, ModelServerError, LocalArthurError: something is missing; one line says what.
    """
    command = [_instrument_script(), sys.executable, str(application_path())]
    say("starting local Arthur and the model server" + ("" if service else " (a small model, offline)"))
    with (
        tempfile.TemporaryDirectory(prefix="otel-arthur-demo-") as folder,
        LocalArthur() as arthur,
        ModelServer(upstream=service.base_url if service else None) as server,
    ):
        model_id = "" if engine else _onboard(arthur)
        what = "plays the Engine" if engine else f"with a new model {MODEL_NAME} ({model_id})"
        say(f"local Arthur is at {arthur.url}, {what}")
        model = service.model if service else server.model
        say(f"{model} is served at {server.base_url}")
        say(f"running {APPLICATION} under opentelemetry-instrument, OTEL_TRACES_EXPORTER={traces_exporter}")
        variables = {
            "OPENAI_BASE_URL": server.base_url,
            "OPENAI_API_KEY": service.api_key if service else LOCAL_API_KEY,
            "MODEL": model,
            "OTEL_SERVICE_NAME": "support-chat",
            "OTEL_TRACES_EXPORTER": traces_exporter,
            # Beside another distro, ours has to be named.
            **({"OTEL_PYTHON_DISTRO": "arthur"} if other_distros() else {}),
            **(_engine_settings(arthur) if engine else _platform_settings(arthur, model_id)),
            "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(Path(folder) / "spool"),
        }
        environ = _clean(os.environ) | variables | {"PYTHONUNBUFFERED": "1"}
        exit_code = _run_application(command, environ, output or sys.stdout)
        served = server.log()
        patience = 0.0 if exit_code == INTERRUPTED else _ARRIVAL_SECONDS
        fetch = (lambda: llm_rows(arthur)) if engine else (lambda: _inferences(arthur, model_id))
        rows, comparison = _settled(fetch, served, patience)
        traces = all_traces(arthur) if engine else []
        dashboard = f"{arthur.url}/{'traces' if engine else ''}"
        yield Outcome(rows, comparison, dashboard, arthur.dashboard_link(), exit_code, variables, traces)


def _platform_settings(arthur: LocalArthur, model_id: str) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_ARTHUR_ENDPOINT": arthur.url,
        "OTEL_EXPORTER_ARTHUR_API_KEY": arthur.api_key,
        "OTEL_EXPORTER_ARTHUR_MODEL_ID": model_id,
    }


def _engine_settings(arthur: LocalArthur) -> dict[str, str]:
    return {"ARTHUR_BASE_URL": arthur.url, "ARTHUR_API_KEY": arthur.api_key}


def application_path() -> Path:
    """The example: beside this file in an installed package, under ``examples/`` in a checkout."""
    here = Path(__file__).resolve()
    places = (here.with_name(APPLICATION), here.parents[2] / "examples" / APPLICATION)
    for place in places:
        if place.is_file():
            return place
    raise DemoError(f"the example application {APPLICATION} is not where it was installed: {places[0]}")


def _instrument_script() -> str:
    """``opentelemetry-instrument`` of this environment, also where it is not activated."""
    beside = shutil.which("opentelemetry-instrument", path=str(Path(sys.executable).parent))
    script = beside or shutil.which("opentelemetry-instrument")
    if script is None:
        raise _not_installed("opentelemetry-instrument")
    for module in ("langchain", "langchain_openai"):
        if find_spec(module) is None:
            raise _not_installed(module)
    return script


def _not_installed(what: str) -> DemoNotInstalledError:
    return DemoNotInstalledError(
        f"`otel-arthur demo` needs {what}, which is not installed; pip install 'otel-arthur[demo]'"
    )


def _onboard(arthur: LocalArthur) -> str:
    """A model with every field of the catalogue, so also `status`: failed calls are recorded too."""
    configuration = Configuration(endpoint=arthur.url, api_key=arthur.api_key)
    with closing(ArthurClient.from_configuration(configuration)) as client:
        model = client.create_model(model_request(MODEL_NAME))
        return client.wait_until_ready(model.id, within=_READY_SECONDS).id


def _clean(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if not name.startswith(_INHERITED_SETTINGS)}
    # Everything here is on loopback; a proxy must not get it.
    for name in ("NO_PROXY", "no_proxy"):
        kept[name] = ",".join(filter(None, (kept.get(name), "127.0.0.1", "localhost")))
    return kept


def _run_application(command: list[str], environ: dict[str, str], output: TextIO) -> int:
    """Run the application to its end; on Ctrl-C it gets the time to send what was said before."""
    process = subprocess.Popen(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Its own session: Ctrl-C reaches it once, from us, while its servers are still there.
        start_new_session=True,
    )
    interrupted = threading.Event()
    relays = [
        threading.Thread(target=_relay, args=(process.stdout, output), daemon=True),
        threading.Thread(target=_relay, args=(process.stderr, sys.stderr, interrupted), daemon=True),
    ]
    for relay in relays:
        relay.start()
    try:
        return process.wait(_APPLICATION_SECONDS)
    except subprocess.TimeoutExpired:
        raise DemoError(f"the application did not end within {_APPLICATION_SECONDS:.0f} s") from None
    except KeyboardInterrupt:
        interrupted.set()
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_INTERRUPTED_SECONDS)
        return INTERRUPTED
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for relay in relays:
            relay.join()


def _relay(stream: IO[bytes], target: TextIO, interrupted: threading.Event | None = None) -> None:
    """Show what the application prints, but not the traceback of a start that Ctrl-C cut short."""
    with stream:
        for line in stream:
            if interrupted is None or not interrupted.is_set():
                # A model's words are among it.
                target.write(printable(line.decode(errors="replace"), keep_lines=True))
                target.flush()


def _settled(
    fetch: Callable[[], list[JSON]], served: list[ServedCall], patience: float
) -> tuple[list[JSON], Reconciliation]:
    """The comparison once it is exact, or the last one after ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while True:
        rows = fetch()
        comparison = reconcile(served, rows)
        if comparison.exact or time.monotonic() > deadline:
            return rows, comparison
        time.sleep(0.1)


def _inferences(arthur: LocalArthur, model_id: str) -> list[JSON]:
    return in_order(
        {
            "partner_inference_id": row.partner_inference_id,
            "inference_timestamp": row.inference_timestamp,
            "inference_data": row.inference_data,
        }
        for row in arthur.store.inferences(model_id, limit=_ROWS).inferences
    )
