"""What `inspect --format json` and `replay` of one large file cost: CPU, the first line, and memory.

    python benchmarks/commands/files.py
    python benchmarks/commands/files.py --megabytes 20 --with .other-venv/bin/otel-arthur

The file is OTLP/JSON, a line for 512 LLM spans of 2.6 kB, as a Collector's file exporter writes it. Each
command is a process of its own, and so is the server that replay sends to. CPU is all that the process took,
its start included. Several commands take turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from pathlib import Path
from typing import IO, NamedTuple

import orjson
from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

sys.path.insert(0, str(Path(__file__).parents[1]))

from sink import Sink
from spans import Spans

SPANS = 512
"""In a line."""


class Cost(NamedTuple):
    cpu: float
    """Seconds."""
    first: float
    """Seconds until there is output."""
    memory: float
    """MB at most."""


def write(file: IO[bytes], size: int) -> int:
    """Fill a file up to `size` bytes; returns how many spans it holds."""
    spans, count = Spans(), 0
    while file.tell() < size:
        document = MessageToDict(encode_spans(spans.made(SPANS)), use_integers_for_enums=True)
        for resource in document["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    span.update({key: b64decode(span[key]).hex() for key in ("traceId", "spanId")})
        file.write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))
        count += SPANS
    return count


def cost(command: str, arguments: list[str], environ: dict[str, str]) -> Cost:
    """Run a command to its end and drop its output."""
    began = time.monotonic()
    process = subprocess.Popen(
        [command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | environ
    )
    assert process.stdout is not None
    process.stdout.read(1)
    first = time.monotonic() - began
    while process.stdout.read(2**16):
        pass
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command} {arguments[0]} failed"
    return Cost(usage.ru_utime + usage.ru_stime, first, usage.ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=5)
    ours = str(Path(sys.executable).with_name("otel-arthur"))
    parser.add_argument(
        "--with", dest="other", nargs="*", default=[], help="more commands, such as an older one"
    )
    options = parser.parse_args()
    found: dict[tuple[str, str], list[Cost]] = {}
    with Sink() as sink, tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        count = write(file, options.megabytes * 10**6)
        file.flush()
        print(f"{count} LLM spans in {file.tell() / 10**6:.0f} MB")
        for _ in range(options.rounds):
            for arguments in (["inspect", "--format", "json", file.name], ["replay", file.name]):
                for command in (ours, *options.other):
                    with tempfile.TemporaryDirectory() as spool:
                        costs = found.setdefault((arguments[0], command), [])
                        costs.append(cost(command, arguments, settings(sink.url, spool)))
    for (name, command), costs in found.items():
        cpu, first, memory = (statistics.median(column) for column in zip(*costs, strict=True))
        shown = f"{cpu:.2f} s of CPU, {cpu / count * 1e6:.1f} us a span"
        print(f"{name:8s}{shown}; first output after {first:.2f} s; {memory:.0f} MB  {command}")


def settings(url: str, spool: str) -> dict[str, str]:
    """What a command is told by its environment."""
    names = {"ENDPOINT": url, "API_KEY": "k", "MODEL_ID": "bench", "SPOOL_DIR": spool}
    return {f"OTEL_EXPORTER_ARTHUR_{name}": value for name, value in names.items()}


if __name__ == "__main__":
    main()
