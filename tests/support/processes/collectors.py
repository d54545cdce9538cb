"""The collector and a stock Collector as processes, started by their documented commands."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from tests.support.environments import stock_collector
from tests.support.waiting import PATIENCE, eventually


class ArthurCollector:
    """``otel-arthur collector --config FILE`` in a process of its own."""

    def __init__(self, folder: Path, configuration: str, name: str = "collector") -> None:
        self.folder = folder
        self.path = folder / f"{name}.yaml"
        self.path.write_text(configuration)
        self.lines: list[dict[str, Any]] = []
        self.addresses: dict[str, str] = {}
        self.environment: dict[str, str] = {}
        self._process: subprocess.Popen[str] | None = None

    def start(self, **environment: str) -> ArthurCollector:
        self.environment.update(environment)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "otel_arthur", "collector", "--config", str(self.path)],
            cwd=self.folder,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **self.environment},
        )
        self._arrived: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        self.wait_for("ready")
        return self

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for text in process.stderr:
            try:
                line = json.loads(text)
            except ValueError:
                line = {"msg": "not JSON", "text": text}
            self.lines.append(line)
            if line["msg"] == "listening":
                self.addresses[line["server"]] = line["address"]
            self._arrived.put(line)
        self._arrived.put(None)

    def wait_for(self, message: str) -> dict[str, Any]:
        """The next log line that begins so."""
        while True:
            line = self._arrived.get(timeout=PATIENCE)
            assert line is not None, f"the collector ended before it said {message!r}: {self.lines}"
            if line["msg"].startswith(message):
                return line

    @property
    def http(self) -> str:
        return f"http://{self.addresses['otlp/http']}"

    @property
    def grpc(self) -> str:
        return self.addresses["otlp/grpc"]

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def metrics(self) -> dict[str, float]:
        """Every sample of ``/metrics``."""
        text = requests.get(f"http://{self.addresses['metrics']}/metrics", timeout=PATIENCE).text
        rows = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in rows}

    def send(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; returns the exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._reader.join(PATIENCE)
        if self._process.stderr is not None:
            self._process.stderr.close()
        return code

    def __enter__(self) -> ArthurCollector:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()


class StockCollector:
    """A stock Collector with a configuration. It is ready when the given addresses take connections."""

    def __init__(
        self, folder: Path, configuration: str, ports: tuple[int, ...], name: str = "otelcol"
    ) -> None:
        self.folder = folder
        self._path = folder / f"{name}.yaml"
        self._path.write_text(configuration)
        self._log = folder / f"{name}.log"
        self._ports = ports
        self.environment: dict[str, str] = {}
        self.http = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> StockCollector:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [stock_collector.program(), "--config", self._path],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
            )
        for port in self._ports:
            eventually(lambda port=port: self._is_up(port), f"the Collector on port {port}")
        return self

    def _is_up(self, port: int) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the Collector ended: {self.log()[-2000:]}"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), PATIENCE):
            return True
        return False

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def __enter__(self) -> StockCollector:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()


@contextlib.contextmanager
def running(*programs: Any) -> Iterator[None]:
    """All of them started in order, and ended in the reverse order."""
    with contextlib.ExitStack() as stack:
        for item in programs:
            stack.enter_context(item)
        yield
