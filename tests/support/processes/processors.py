"""A Collector with the processor `arthur`, as a platform team runs one: its core is started by it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import uuid
from pathlib import Path
from typing import Any

import requests

from tests.support.processes.collectors import StockCollector
from tests.support.servers.account import Account
from tests.support.servers.ports import free_port

_MARK = "OTEL_ARTHUR_TEST_RUN"


class CollectorWithProcessor(StockCollector):
    """Two ways through one Collector: `http` with the processor, `plain` without.

    Args:
        behind, behind_plain: the next hop of each way.
        processor: keys of the processor beside those that each test needs.
    """

    def __init__(
        self,
        folder: Path,
        account: Account,
        model_id: str,
        behind: str,
        behind_plain: str = "http://127.0.0.1:1",
        **processor: Any,
    ) -> None:
        with_it, without, metrics = free_port(), free_port(), free_port()
        self._metrics = f"http://127.0.0.1:{metrics}/metrics"
        self.plain = f"http://127.0.0.1:{without}"
        arthur = {
            "endpoint": account.url,
            "api_key": "${env:ARTHUR_API_KEY}",
            "models": [{"model_id": model_id}],
            **processor.pop("arthur", {}),
        }
        sections = {
            "core": {"command": [sys.executable, "-m", "otel_arthur", "core"]},
            "arthur": arthur,
            "spool": {"directory": str(folder / "spool"), "max_mb": 512},
            **processor,
        }
        super().__init__(folder, json.dumps(_configuration(sections, with_it, without, metrics)), (with_it,))
        self.http = f"http://127.0.0.1:{with_it}"
        self.mark = uuid.uuid4().hex
        self.environment = {
            "ARTHUR_API_KEY": account.api_key,
            "BEHIND": behind,
            "BEHIND_PLAIN": behind_plain,
            _MARK: self.mark,
        }

    def metrics(self) -> dict[str, float]:
        """Every sample of the processor, without the prefix and with the value of its one attribute."""
        found: dict[str, float] = {}
        for line in requests.get(self._metrics, timeout=60).text.splitlines():
            name, _, value = line.rpartition(" ")
            if name.startswith("otelcol_processor_arthur_"):
                found[name.removeprefix("otelcol_processor_arthur_")] = float(value)
        return found

    def processes(self) -> dict[int, str]:
        """What runs of this Collector, by process id: ``collector`` or ``core``."""
        found: dict[int, str] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if f"{_MARK}={self.mark}".encode() in (folder / "environ").read_bytes():
                    is_core = b"otel_arthur" in (folder / "cmdline").read_bytes()
                    found[int(folder.name)] = "core" if is_core else "collector"
            except OSError:
                continue
        return found

    def pids(self, kind: str) -> list[int]:
        return [pid for pid, of in self.processes().items() if of == kind]

    def end(self) -> None:
        """Ends it, if it runs, and whatever a test that failed left of it."""
        if self._process is not None:
            self.stop()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _configuration(processor: dict[str, Any], with_it: int, without: int, metrics: int) -> dict[str, Any]:
    def receiver(port: int) -> dict[str, Any]:
        return {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}

    def exporter(variable: str) -> dict[str, Any]:
        # The answer of the next hop is the answer to the sender.
        return {
            "endpoint": f"${{env:{variable}}}",
            "compression": "none",
            "sending_queue": {"enabled": False},
            "retry_on_failure": {"enabled": False},
        }

    reader = {"pull": {"exporter": {"prometheus": {"host": "127.0.0.1", "port": metrics}}}}
    through = {"receivers": ["otlp"], "processors": ["arthur"], "exporters": ["otlp_http"]}
    plain = {"receivers": ["otlp/plain"], "exporters": ["otlp_http/plain"]}
    return {
        "receivers": {"otlp": receiver(with_it), "otlp/plain": receiver(without)},
        "processors": {"arthur": processor},
        "exporters": {"otlp_http": exporter("BEHIND"), "otlp_http/plain": exporter("BEHIND_PLAIN")},
        "service": {
            "telemetry": {"metrics": {"readers": [reader]}},
            "pipelines": {
                "traces": through,
                "logs": through,
                "traces/plain": plain,
                "logs/plain": plain,
            },
        },
    }
