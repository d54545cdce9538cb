"""Which model a call goes to: the first target whose patterns all fit. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import translate
from typing import Any

from otel_arthur.collector.intake.deliveries import OpenRoute
from otel_arthur.genai.span import SpanView


class Router:
    def __init__(self, targets: Sequence[OpenRoute]) -> None:
        self._targets = [
            (target, [(key, re.compile(translate(pattern)).match) for key, pattern in target.match])
            for target in targets
        ]

    def target(self, view: SpanView) -> OpenRoute | None:
        """The first target for a span, or None when none takes it.

        A pattern is shell-style and case-sensitive. It is tried on the span's attribute of that
        name, and on the resource's where the span has none or it does not fit.
        """
        for target, patterns in self._targets:
            for key, fits in patterns:
                if not (_fits(fits, view.attributes, key) or _fits(fits, view.resource, key)):
                    break
            else:
                return target
        return None


def _fits(fits: Any, attributes: Mapping[str, Any], key: str) -> bool:
    value = attributes.get(key)
    return value is not None and fits(_text(value)) is not None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
