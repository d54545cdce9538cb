"""The built-in patterns of redaction: ``email``, ``card``, ``key``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from otel_arthur.inference.redaction.masking import Extent, Rule, end_of_run, find, mask

_LOCAL_LENGTH: Final = 64
"""RFC 5321, 4.5.3.1.1."""
_LOCAL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]*")
_DOMAIN = re.compile(r"(?<=[\w.!#$%&'*+/=?^`{|}~-])@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,63}")
_CARD = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.]?\d)")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")
_PRIVATE_KEY_END = re.compile(r"-----END [A-Z ]{0,40}PRIVATE KEY-----")
_WEB_TOKEN = re.compile(r"\beyJ[\w-]{8}")
_PREFIXED = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bAIza[\w-]{35}\b"
    r"|\b(?:sk|pk|rk|ghp|gho|ghu|ghs|ghr|github_pat|glpat|xox[abeoprs]|hf|npm|pypi|shpat|dop_v1|key|api)"
    r"[-_](?P<token>[\w-]{16})"
    r"|(?<=earer )(?P<bearer>[\w.~+/=-]{16})"
    r"|(?i:(?<=password=)|(?<=password: )|(?<=passwd=)|(?<=api_key=)|(?<=apikey=)|(?<=secret=)|(?<=token=))"
    r"(?P<secret>[^\s\"'&,;]{4})"
)
_RUNS = {
    "token": re.compile(r"[\w-]*"),
    "bearer": re.compile(r"[\w.~+/=-]*"),
    "secret": re.compile(r"[^\s\"'&,;]*"),
}
_SEGMENT = _RUNS["token"]
_SEGMENT_LENGTH: Final = 8
_KEY: Final = "[key]"


def _email(text: str, domain: re.Match[str]) -> Extent:
    at = domain.start()
    before = text[max(at - _LOCAL_LENGTH, 0) : at][::-1]
    local = _LOCAL.match(before)
    return Extent(at - (local.end() if local else 0), domain.end(), "[email]")


def _card(_text: str, digits: re.Match[str]) -> Extent:
    return Extent(digits.start(), digits.end(), "[card]" if _is_luhn(digits[0]) else None)


def _private_key(text: str, begin: re.Match[str]) -> Extent:
    end = find(text, _PRIVATE_KEY_END, begin.end())
    return Extent(begin.start(), len(text) if end is None else end.end(), _KEY)


def _web_token(text: str, first: re.Match[str]) -> Extent:
    """Three segments with dots between (RFC 7519, 3)."""
    end = end_of_run(text, _SEGMENT, first.end())
    for _ in range(2):
        begin = end + 1
        beyond = end_of_run(text, _SEGMENT, begin) if text.startswith(".", end) else begin
        if beyond - begin < _SEGMENT_LENGTH:
            return Extent(first.start(), end, None)
        end = beyond
    return Extent(first.start(), end, _KEY)


def _prefixed(text: str, found: re.Match[str]) -> Extent:
    run = _RUNS.get(found.lastgroup or "")
    end = found.end() if run is None else end_of_run(text, run, found.end())
    return Extent(found.start(), end, _KEY)


def _is_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    numbers = [int(digit) for digit in digits if digit.isdigit()]
    total = sum(numbers[-1::-2]) + sum(sum(divmod(2 * number, 10)) for number in numbers[-2::-2])
    return total % 10 == 0 and len(set(numbers)) > 1


def _masking(*rules: Rule) -> Callable[[str], str]:
    def redact(text: str) -> str:
        for rule in rules:
            text = mask(text, rule)
        return text

    return redact


PATTERNS: Final[dict[str, Callable[[str], str]]] = {
    "email": _masking(Rule(_DOMAIN, _email)),
    "card": _masking(Rule(_CARD, _card)),
    "key": _masking(
        Rule(_PRIVATE_KEY, _private_key), Rule(_WEB_TOKEN, _web_token), Rule(_PREFIXED, _prefixed)
    ),
}
"""The built-in redactors by the name that ``OTEL_EXPORTER_ARTHUR_REDACT`` takes."""
