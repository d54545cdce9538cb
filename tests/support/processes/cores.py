"""The core as a process: started as the processor starts it, or beside a Collector."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.waiting import PATIENCE, eventually

CALLS = "application/vnd.otel-arthur.calls"


class Core:
    """``otel-arthur core`` in a process of its own, and a client of its socket."""

    def __init__(self, folder: Path, sections: dict[str, Any]) -> None:
        self.path = folder / "core.sock"
        self.sections = sections
        self._folder = folder
        self._log = folder / "core.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.parent: int | None = None
        """The descriptor that its parent keeps open for as long as it lives."""

    def beside(self, *arguments: str) -> Core:
        """Starts it as an operator does."""
        configuration = self._folder / "core.yaml"
        configuration.write_text(json.dumps(self.sections))
        return self._start("--config", str(configuration), "--listen", f"unix://{self.path}", *arguments)

    def managed(self) -> Core:
        """Starts it as the processor does: configuration and socket are descriptors."""
        reading, self.parent = os.pipe()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.path))
        listener.listen(16)
        os.write(self.parent, json.dumps(self.sections).encode() + b"\n")
        descriptors = (reading, listener.fileno())
        self._start(
            *("--config-descriptor", str(reading), "--listen-descriptor", str(listener.fileno())),
            descriptors=descriptors,
        )
        os.close(reading)
        listener.close()
        return self

    def _start(self, *arguments: str, descriptors: tuple[int, ...] = ()) -> Core:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "otel_arthur", "core", *arguments],
                cwd=self._folder,
                stderr=log,
                pass_fds=descriptors,
            )
        eventually(self._is_ready, "a core that is ready")
        return self

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        try:
            return self.ask("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        """One request; its status and body."""
        connection = _UnixConnection(self.path)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def send(self, request: Any, signal_name: str = "traces", **headers: str) -> tuple[int, bytes]:
        """An export in protobuf."""
        kind = {"Content-Type": "application/x-protobuf", **headers}
        return self.ask("POST", f"/v1/{signal_name}", request.SerializeToString(), **kind)

    def counters(self) -> dict[tuple[str, ...], float]:
        """Name and label values -> value."""
        rows = json.loads(self.ask("GET", "/counters")[1])
        return {(row["name"], *row["labels"].values()): row["value"] for row in rows}

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        assert self.process is not None
        return self.process.wait(PATIENCE)

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.wait()
        finally:
            self.process.kill()
            if self.parent is not None:
                os.close(self.parent)
                self.parent = None


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("core", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(str(self._path))
