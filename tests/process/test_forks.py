"""A fork meets nothing half done that the child would wait for."""

from __future__ import annotations

import os
import subprocess
import sys

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


def test_certificates_that_another_thread_reads_at_the_fork_are_read_in_the_child() -> None:
    """OpenSSL reads them under locks; the child's copy of one that is taken never opens."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=PATIENCE * 3,
    )
    assert done.returncode == 0, done.stderr
