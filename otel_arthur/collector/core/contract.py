"""The file that the processor is built with: which spans and log records concern Arthur, and which settings
there are.

    python -m otel_arthur.collector.core.contract > collector/arthurprocessor/internal/contract/contract.json
"""

from __future__ import annotations

import json
from typing import Any, Final

from otel_arthur.configuration import SETTINGS
from otel_arthur.genai.dialects import BARE_SCOPES, EVENTS, MARKERS, PREFIXES
from otel_arthur.genai.events.agentcore import SIDES
from otel_arthur.genai.events.log_events import MESSAGE_EVENTS, OPERATION_DETAILS
from otel_arthur.genai.steps.kinds import SCOPES, STEP_MARKERS
from otel_arthur.inference.identity import partner_inference_id

_ROUTES: Final = {"arthur": ("models",), "engine": ("tasks",)}
"""Section -> its lists of routes, which are no settings."""
_TRACE_ID, _SPAN_ID = "0123456789abcdef" * 2, "0123456789abcdef"


def contract() -> dict[str, Any]:
    """The content of the file: keys of spans, log events, settings, the form of an id."""
    keys: dict[str, list[str]] = {}
    for setting in SETTINGS:
        section, _, key = setting.key.partition(".")
        if section in ("arthur", "engine", "spool"):
            keys.setdefault(section, []).append(key)
    return {
        "spans": {
            # With such an attribute a span may be a call.
            "keys": sorted(key for key in MARKERS if not key.startswith(PREFIXES)),
            "prefixes": sorted(PREFIXES),
            # Without any attribute a span may be a call by its scope or by its events.
            "scopes": sorted(BARE_SCOPES),
            "events": sorted(EVENTS),
        },
        # Spans around calls are known by an attribute or by the beginning of their scope.
        "steps": {"keys": sorted(STEP_MARKERS), "scopes": sorted(SCOPES)},
        "logs": {
            "events": sorted({*MESSAGE_EVENTS, OPERATION_DETAILS}),
            # A body that is a map with these keys alone may be a conversation.
            "body_keys": sorted(SIDES),
        },
        "settings": {
            section: sorted([*named, *_ROUTES.get(section, ())]) for section, named in sorted(keys.items())
        },
        "identity": {
            "trace_id": _TRACE_ID,
            "span_id": _SPAN_ID,
            "inference_id": partner_inference_id(_TRACE_ID, _SPAN_ID),
        },
    }


def as_file() -> str:
    """The contract as the text of the file that the processor is built with."""
    return json.dumps(contract(), indent=2) + "\n"


if __name__ == "__main__":
    print(as_file(), end="")
