"""Which model a call goes to: the first route whose patterns all fit. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import translate
from typing import Any

from otel_arthur.collector.arthur_configuration import ModelRoute
from otel_arthur.genai.span import SpanView


class Router:
    """The routes, compiled once."""

    def __init__(self, routes: Sequence[ModelRoute]) -> None:
        self._routes = [
            (route, [(key, re.compile(translate(pattern)).match) for key, pattern in route.match])
            for route in routes
        ]

    def route(self, view: SpanView) -> ModelRoute | None:
        """The first route for a span, or None when no route takes it.

        A pattern is shell-style and case-sensitive. It is tried on the span's attribute of that
        name, and on the resource's where the span has none or it does not fit.
        """
        for route, patterns in self._routes:
            if all(
                _fits(fits, view.attributes, key) or _fits(fits, view.resource, key) for key, fits in patterns
            ):
                return route
        return None


def _fits(fits: Any, attributes: Mapping[str, Any], key: str) -> bool:
    value = attributes.get(key)
    return value is not None and fits(_text(value)) is not None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
