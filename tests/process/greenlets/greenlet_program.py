"""A program that records calls in greenlets and then waits until it is ended.

    python -m gevent.monkey greenlet_program.py
    python greenlet_program.py patch

The first is patched as gevent asks. The second is as under ``opentelemetry-instrument``: the exporter and the
batch processor's thread are there when gevent patches. Also a WSGI application, for a server that has set
everything up.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from opentelemetry import trace

sys.path.insert(0, str(Path(__file__).parents[3]))

from otel_arthur.process.sigterm import flush_on_sigterm
from tests.support.processes import ends_program


def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if not ends_program.providers:
        ends_program.providers.append(trace.get_tracer_provider())
    ends_program.call()
    start_response("200 OK", [("Content-Length", "8")])
    return [b"answered"]


def main() -> None:
    import gevent
    from gevent import monkey

    ends_program.set_up(is_global=True)
    flush_on_sigterm()
    if sys.argv[1:] == ["patch"]:
        monkey.patch_all()
    gevent.joinall([gevent.spawn(ends_program.call, number) for number in range(ends_program.EACH)])
    print("waits", flush=True)
    while True:
        gevent.sleep(60)


if __name__ == "__main__":
    main()
