"""The calls of a page: filters, order and page number, from the page's address."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, Final
from urllib.parse import urlencode

NONE: Final = "(none)"
"""The value of a filter for calls without a value."""
TEXTS: Final = {
    "to": "target",
    "status": "status",
    "error": "error_type",
    "finish": "finish_reason",
    "model": "model",
    "service": "service",
    "conversation": "conversation",
    "user": "user",
    "trace": "trace",
}
"""Filter -> column of `calls` that must be equal."""
_TOKENS: Final = "coalesce(tokens_in, 0) + coalesce(tokens_out, 0)"
LEAST: Final = {"slower": "duration", "tokens": _TOKENS}
"""Filter -> the value that must be at least so much."""
LABELS: Final = {
    "to": "sent to",
    "message": "error says",
    "finish": "finish reason",
    "slower": "seconds, at least",
    "tokens": "tokens, at least",
    "since": "from (UTC)",
    "until": "until (UTC)",
}
"""Filter -> its label on the page, where that is another word."""
LAST: Final = {"15m": 900, "1h": 3600, "24h": 86400, "7d": 604800}
"""Filter ``last`` -> seconds."""
ORDERS: Final = {
    "time": "ended",
    "duration": "coalesce(duration, -1)",
    "first_token": "coalesce(first_token, -1)",
    "tokens_in": "coalesce(tokens_in, -1)",
    "tokens_out": "coalesce(tokens_out, -1)",
    "tokens": _TOKENS,
    "status": "coalesce(status, '')",
    "model": "coalesce(model, '')",
    "service": "coalesce(service, '')",
    "conversation": "coalesce(conversation, '')",
    "user": "coalesce(user, '')",
}
"""Order -> the compared value."""
_LONGEST: Final = 2_000
_LARGEST_PAGE: Final = 10**9


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters and the order of an address; meaningless parts are left out."""

    filters: Mapping[str, str]
    """Of `TEXTS`, `LEAST`, ``message``, ``search``, ``last``, ``since`` and ``until``."""
    order: str = "time"
    is_up: bool = False
    """Whether the smallest or oldest comes first."""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Wanted:
        filters: dict[str, str] = {}
        for name in (*TEXTS, *LEAST, "message", "search", "last", "since", "until"):
            value = query.get(name, "").strip()[:_LONGEST]
            if value and _makes_sense(name, value):
                filters[name] = value
        order = query.get("sort", "time")
        return cls(
            filters,
            order.removeprefix("-") if order.removeprefix("-") in ORDERS else "time",
            order in ORDERS and "sort" in query,
            page_number(query.get("page", "")),
        )

    def filter(self, name: str) -> str:
        """The value of a filter, empty where there is none."""
        return self.filters.get(name, "")

    def condition(self) -> tuple[str, list[Any]]:
        """The filters as SQL over the table `calls`, with its arguments."""
        parts, arguments = ["1"], list[Any]()
        for name, value in self.filters.items():
            if value == NONE and name in (*TEXTS, "message"):
                parts.append(f"{TEXTS.get(name, 'error_message')} IS NULL")
            elif name in TEXTS:
                parts.append(f"{TEXTS[name]} = ?")
                arguments.append(value)
            elif name in LEAST:
                parts.append(f"{LEAST[name]} >= ?")
                arguments.append(float(value))
            elif name == "message":
                pattern = re.sub("([%_!])", r"!\1", value).replace("*", "%")
                parts.append("error_message LIKE ? ESCAPE '!'")
                arguments.append(f"%{pattern}%")
            elif name == "search":
                parts.append(
                    "(inference IN (SELECT number FROM inferences WHERE instr(words, ?)) OR span IN "
                    "(SELECT number FROM engine_spans WHERE instr(lower(attributes), ?)))"
                )
                arguments += [value.casefold()] * 2
            else:
                parts.append("ended < ?" if name == "until" else "ended >= ?")
                arguments.append(time.time() * 1000 - LAST[value] * 1000 if name == "last" else moment(value))
        return " AND ".join(parts), arguments

    def address(self, path: str, **changed: str | None) -> str:
        """The address of a page about the same calls; `changed` filters get another value, or none."""
        query = {**self.filters}
        if self.order != "time" or self.is_up:
            query["sort"] = self.order if self.is_up else f"-{self.order}"
        query |= {name: value or "" for name, value in changed.items()}
        text = urlencode({name: value for name, value in query.items() if value})
        return f"{path}?{text}" if text else path

    def on(self, page: int) -> Wanted:
        return replace(self, page=page)


def page_number(text: str) -> int:
    """The page that is asked for, from 1."""
    return (
        max(1, min(int(text), _LARGEST_PAGE)) if text.isascii() and text.isdigit() and len(text) < 19 else 1
    )


def moment(text: str) -> int:
    """Milliseconds since the epoch of a time as a browser's field writes it, in UTC, or of milliseconds.

    Raises:
        ValueError: the text is neither.
    """
    if text.isascii() and text.isdigit() and len(text) < 16:
        return int(text)
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int((found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp() * 1000)


def _makes_sense(name: str, value: str) -> bool:
    try:
        if name in LEAST:
            return 0 <= float(value) < float("inf")
        if name in ("since", "until"):
            moment(value)
    except (ValueError, OverflowError):
        return False
    return name != "last" or value in LAST
