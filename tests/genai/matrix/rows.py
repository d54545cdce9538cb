"""The rows of `long_tail` and `products`: what is recorded of a dialect, and why a field is not there."""

from __future__ import annotations

from typing import NamedTuple


class Dialect(NamedTuple):
    """One dialect of the long tail: the columns that hold its captures, or its documentation only."""

    dialect: str
    version: str
    verified: bool
    columns: tuple[str, ...] = ()
    reference: str = ""


class Row(NamedTuple):
    """Why a field is not on some spans. `instead` allows another value, which the reason explains."""

    columns: str
    fields: tuple[str, ...]
    scenarios: tuple[str, ...]
    reason: str
    instead: bool = False


ALL = ("*",)
STREAMS = ("b_stream", "u_stream_no_usage", "v_responses_stream", "x_async_stream")
RESPONSES = ("l_responses", "v_responses_stream")
COUNTS = ("input_tokens", "output_tokens", "total_tokens", "cached_tokens", "reasoning_tokens")
OWN_ERROR = "the framework's own exception, whose name may end otherwise"
NOT_RECORDED = "not recorded"
