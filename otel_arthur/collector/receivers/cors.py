"""CORS for browsers that send OTLP, with the keys of the Collector's ``confighttp`` (Fetch standard)."""

from __future__ import annotations

from fnmatch import fnmatchcase

from aiohttp import web

from otel_arthur.collector.configuration.sections import CORS

_SIMPLE = ("accept", "content-type", "content-encoding")
"""Headers that an exporter in a browser sends by itself."""


def preflight(request: web.BaseRequest, cors: CORS) -> web.Response | None:
    """The answer to a browser that asks whether it may send; None for every other request."""
    asked = request.headers.get("Access-Control-Request-Method")
    if request.method != "OPTIONS" or asked is None or not is_allowed(request, cors):
        return None
    return web.Response(
        status=204,
        headers={
            **allowed(request),
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": ", ".join((*_SIMPLE, *cors.headers)),
            "Access-Control-Max-Age": str(round(cors.max_age)),
        },
    )


def is_allowed(request: web.BaseRequest, cors: CORS | None) -> bool:
    """Whether the page that sends this request may read its answer."""
    origin = request.headers.get("Origin")
    return cors is not None and origin is not None and any(fnmatchcase(origin, one) for one in cors.origins)


def allowed(request: web.BaseRequest) -> dict[str, str]:
    """The headers of an answer for a browser whose page may read the answer."""
    return {"Access-Control-Allow-Origin": request.headers["Origin"], "Vary": "Origin"}
