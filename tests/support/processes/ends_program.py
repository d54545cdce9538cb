"""A program whose calls all sit in the batch processor's queue when one of its processes ends.

    python ends_program.py END [START_METHOD]

Appends the id of each recorded call to the file that CALLS names. Runs by itself in any environment that has
otel-arthur: the oldest Python, the newest one, spawned children.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import otel_arthur
from otel_arthur.delivery import patience
from otel_arthur.process.sigterm import flush_on_sigterm

# On a busy machine Arthur, too, needs longer for an answer.
patience.IDLE_SECONDS = float(os.environ.get("ENDS_IDLE_SECONDS", patience.IDLE_SECONDS))
EACH = 8
providers: list[Any] = []


def set_up(*, is_global: bool = False, service: str = "a", shutdown_on_exit: bool = True) -> None:
    provider = TracerProvider(resource=Resource({"service.name": service}), shutdown_on_exit=shutdown_on_exit)
    exporter = otel_arthur.ArthurSpanExporter()
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=3_600_000))
    providers.append(provider)
    if is_global:
        trace.set_tracer_provider(provider)


def call(number: int = 0) -> int:
    for provider in providers:
        with provider.get_tracer("app").start_as_current_span("chat m") as span:
            for kind, role in (("input", "user"), ("output", "assistant")):
                message = {"role": role, "parts": [{"type": "text", "content": f"call {number}"}]}
                span.set_attribute(f"gen_ai.{kind}.messages", json.dumps([message]))
            span.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"})
            with Path(os.environ["CALLS"]).open("a") as calls:
                calls.write(f"{otel_arthur.inference_id(span)}\n")
    return number


def calls(count: int = EACH) -> None:
    for number in range(count):
        call(number)


def set_up_and_call() -> None:
    set_up()
    calls()


def call_until_terminated(number: int) -> None:
    set_up()
    flush_on_sigterm()
    calls()
    os.kill(os.getpid(), number)
    time.sleep(60)


def main() -> None:
    end = sys.argv[1]
    context: Any = multiprocessing.get_context(sys.argv[2]) if len(sys.argv) > 2 else multiprocessing
    if end == "exit":
        set_up(is_global=True)
        calls()
    elif end == "exit, two models":
        set_up(service="a")
        set_up(service="b")
        calls()
    elif end == "exit without the provider's handler":
        set_up(shutdown_on_exit=False)
        calls()
    elif end in ("SIGTERM", "SIGHUP", "SIGINT"):
        call_until_terminated(getattr(signal, end))
    elif end == "SIGTERM during the exit":
        import atexit

        set_up(is_global=True)
        flush_on_sigterm()
        calls()
        # Of exit handlers the last to come is the first to run: the signal arrives as the provider's begins.
        atexit.register(os.kill, os.getpid(), signal.SIGTERM)
    elif end == "children of a recording parent":
        set_up()
        start = [context.Process(target=calls) for _ in range(2)]
        [child.start() for child in start]
        [child.join() for child in start]
    elif end == "recording children":
        start = [context.Process(target=set_up_and_call) for _ in range(2)]
        [child.start() for child in start]
        [child.join() for child in start]
    elif end == "recording pool":
        with context.Pool(2, initializer=set_up) as pool:
            pool.map(call, range(EACH), chunksize=1)
            pool.close()
            pool.join()
    elif end == "recording executor":
        with ProcessPoolExecutor(2, mp_context=context, initializer=set_up) as executor:
            list(executor.map(call, range(EACH)))
    elif end == "terminated pool":
        with context.Pool(2, initializer=set_up_to_be_terminated) as pool:
            pool.map(call, range(EACH), chunksize=1)
    else:
        raise SystemExit(f"no such end: {end}")


def set_up_to_be_terminated() -> None:
    set_up(is_global=True)
    flush_on_sigterm()


if __name__ == "__main__":
    main()
