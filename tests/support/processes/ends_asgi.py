"""An ASGI application whose calls sit in the batch processor's queue when its server ends.

EXPORTER says where the exporter comes from: ``zero code``, or ``application`` for one made here.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from opentelemetry import trace

sys.path.insert(0, str(Path(__file__).parent))
import ends_program

if os.environ["EXPORTER"] == "application":
    ends_program.set_up()


async def app(scope, receive, send) -> None:
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return
    if not ends_program.providers:
        ends_program.providers.append(trace.get_tracer_provider())
    ends_program.call()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"answered"})
