"""A fork meets nothing half done that the child would wait for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.waiting import PATIENCE

PROGRAM = f"""
import os, threading
from otel_arthur.arthur.client import V3
from otel_arthur.http.endpoint import tls_context

def make():
    tls_context(V3, certificate=None, insecure=False)

def make_for_ever():
    while True:
        make()

threading.Thread(target=make_for_ever, daemon=True).start()
for _ in range(20):
    child = os.fork()
    if not child:
        other = threading.Thread(target=make, daemon=True)
        other.start()
        other.join({PATIENCE / 3})
        os._exit(other.is_alive())
    assert os.waitpid(child, 0)[1] == 0
os._exit(0)
"""
"""The certificates of the system are read nearly all the time, and once in each child."""


SEVERAL = f"""
import os, sys, threading, time
from pathlib import Path
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from otel_arthur.process import forks
from tests.support.spans.llm_calls import llm_calls

settings = dict(endpoint="http://127.0.0.1:9", api_key="k", model_id="m", spool_dir=Path(sys.argv[1]))
delivery = Delivery(Configuration(**settings))
count = int(sys.argv[2])
calls = llm_calls(count + 1)
codes = []

class Slow:
    under_way = most = 0

    def before_fork(self):
        self.under_way += 1
        time.sleep(0.001)  # lets another thread begin to fork
        self.most = max(self.most, self.under_way)

    def after_fork_in_parent(self):
        time.sleep(0.001)
        self.under_way -= 1

    def after_fork_in_child(self):
        pass

slow = [Slow(), Slow()]
for one in slow:
    forks.watch(one)

def fork():
    for call in iter(lambda: calls.pop() if len(calls) > 1 else None, None):
        child = os.fork()
        if not child:
            os._exit(0 if delivery.submit([call]).spooled == 1 else 7)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

threads = [threading.Thread(target=fork, daemon=True) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join({PATIENCE})
assert codes == [0] * count, (len(codes), set(codes))
assert [(one.under_way, one.most) for one in slow] == [(0, 1), (0, 1)]
assert delivery.submit(calls).spooled == 1
assert delivery.counts().left == count + 1
os._exit(0)
"""
"""Several threads fork all the time; each child records a call, and at last the parent does."""


def test_certificates_that_another_thread_reads_at_the_fork_are_read_in_the_child() -> None:
    """OpenSSL reads them under locks; the child's copy of one that is taken never opens."""
    run(PROGRAM)


def test_threads_that_fork_at_once_have_children_that_record(tmp_path: Path) -> None:
    run(SEVERAL, str(tmp_path), "160")


def run(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=PATIENCE * 3,
    )
    assert done.returncode == 0, done.stderr
