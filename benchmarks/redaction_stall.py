"""The longest stall of another thread while a text of 10 MB is redacted, for each built-in pattern.

    python benchmarks/redaction_stall.py

The other thread wakes each millisecond and notes the longest time between two wakings. The aim is under
50 ms on a quiet machine. The first line is the stall without any redaction: the machine's own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from otel_arthur.inference.redaction.patterns import PATTERNS

LENGTH = 10_000_000
TEXTS = {
    "prose": "The quick brown fox jumps over 13 lazy dogs at 10:30; see https://example.org/a?b=c. ",
    "digits": "1 ",
    "addresses": "jane@mail.example ",
    "almost addresses": "a@",
    "almost tokens": "eyJ-",
    "secrets": "password=hunter2 ",
}


def stalls(work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds that another thread stood still at most, and CPU seconds of the work."""
    longest = 0.0
    ended = threading.Event()

    def watch() -> None:
        nonlocal longest
        last = time.perf_counter()
        while not ended.wait(0.001):
            now = time.perf_counter()
            longest, last = max(longest, now - last), now

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.thread_time()
    work()
    seconds = time.thread_time() - began
    ended.set()
    watcher.join()
    return longest * 1000, seconds


def main() -> None:
    stall, _ = stalls(lambda: time.sleep(2))
    print(f"{'nothing':12} {'':18} {stall:6.0f} ms")
    for name, redact in PATTERNS.items():
        for label, piece in TEXTS.items():
            text = (piece * (LENGTH // len(piece) + 1))[:LENGTH]
            stall, seconds = stalls(lambda redact=redact, text=text: redact(text))
            print(f"{name:12} {label:18} {stall:6.0f} ms  {seconds:5.2f} s")


if __name__ == "__main__":
    main()
