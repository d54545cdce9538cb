"""What Windows lacks is lacking here: the exporter keeps calls on disk, and a second process sends them.

Not Windows: locks of open files, its paths and its consoles cannot be had on another system.
"""

from __future__ import annotations

import os
import sys

from otel_arthur.local.server import LocalArthur
from tests.support.processes.running import finished
from tests.support.waiting import PATIENCE

PROGRAM = """
import asyncio, ctypes, multiprocessing, os, platform, signal, socket, sqlite3, ssl, subprocess, sys
import msgspec, orjson, platformdirs, requests, tenacity, click
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

for module, names in (
    (os, "fork forkpty register_at_fork geteuid getuid chown fchown statvfs writev O_NOFOLLOW O_DIRECTORY "
         "O_NONBLOCK sysconf"),
    (signal, "SIGHUP SIGKILL"),
    (socket, "AF_UNIX"),
):
    for name in names.split():
        delattr(module, name)
for name in ("fcntl", "resource", "pwd", "grp"):
    sys.modules[name] = None
sys.platform, os.O_BINARY = "win32", 1 << 40
ssl.SSLContext._windows_cert_stores = ()

opened, open_ = [], os.open
def open_like_windows(path, flags, *arguments, **named):
    if str(path).endswith(".rows") and flags & os.O_CREAT:
        # Else Windows puts a carriage return before each line feed.
        assert flags & os.O_BINARY, path
        opened.append(path)
    return open_(path, flags & ~os.O_BINARY, *arguments, **named)
os.open = open_like_windows

from otel_arthur import ArthurSpanExporter
from otel_arthur.process.sigterm import flush_on_sigterm

provider = TracerProvider(resource=Resource.create({"service.name": "windows"}))
provider.add_span_processor(BatchSpanProcessor(ArthurSpanExporter(duplicate_window=0)))
trace.set_tracer_provider(provider)
flush_on_sigterm()
for number in range(int(sys.argv[1])):
    with trace.get_tracer("test").start_as_current_span("chat") as span:
        span.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m",
                             "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "line\\n" * 100,
                             "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "yes"})
provider.force_flush()
print(len(opened))
"""


def files_written(arthur: LocalArthur, model_id: str, calls: int, exit_timeout: str) -> int:
    environ = {
        **os.environ,
        "OTEL_EXPORTER_ARTHUR_ENDPOINT": arthur.url,
        "OTEL_EXPORTER_ARTHUR_API_KEY": arthur.api_key,
        "OTEL_EXPORTER_ARTHUR_MODEL_ID": model_id,
        "OTEL_EXPORTER_ARTHUR_EXIT_TIMEOUT": exit_timeout,
    }
    done = finished([sys.executable, "-c", PROGRAM, str(calls)], env=environ)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return int(done.stdout)


def test_calls_wait_on_disk_and_the_next_process_sends_them(arthur: LocalArthur, model_id: str) -> None:
    arthur.stop()
    assert files_written(arthur, model_id, 60, exit_timeout="1") > 0
    arthur.start()
    files_written(arthur, model_id, 1, exit_timeout=str(PATIENCE / 2))
    rows = arthur.store.inferences(model_id, limit=100).inferences
    assert len(rows) == 61
    assert {row.inference_data["input_text"] for row in rows} == {"Human: " + "line\n" * 100}
