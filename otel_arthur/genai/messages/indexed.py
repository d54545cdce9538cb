"""Lists spread over numbered attributes, as in ``gen_ai.prompt.0.content``, brought together again.

Numbers only order what is there: nothing is allocated by them, so an index of a billion costs
what one attribute costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

_MAX_SEGMENTS = 12
_MAX_DIGITS = 12


def items(attributes: Mapping[str, Any], prefix: str) -> list[Any]:
    """The list under `prefix` (which ends with a dot), in order of the numbers, gaps closed.

    Each item is a value, or a map whose own numbered maps are lists.
    """
    root: dict[str, Any] = {}
    start = len(prefix)
    for key, value in attributes.items():
        if key.startswith(prefix):
            _insert(root, key[start:].split(".", _MAX_SEGMENTS), value)
    found = _listed(root)
    return cast("list[Any]", found) if isinstance(found, list) else []


def has_any(attributes: Mapping[str, Any], prefix: str) -> bool:
    """Whether any numbered attribute is under `prefix`."""
    start = len(prefix)
    return any(key.startswith(prefix) and key[start : start + 1].isdigit() for key in attributes)


def starts_late(attributes: Mapping[str, Any], prefix: str) -> bool:
    """Whether there is a list under `prefix` whose first item is gone (the oldest attributes are dropped)."""
    first = f"{prefix}0"
    return has_any(attributes, prefix) and not any(
        key.startswith(first) and key[len(first) : len(first) + 1] in ("", ".") for key in attributes
    )


def whole(messages: list[Any]) -> list[Any]:
    """The messages that a limit left: the oldest are gone, and so is a first one that lost its role."""
    first: Any = messages[0]
    if isinstance(first, dict):
        inner = cast("dict[str, Any]", first)
        if "role" in cast("dict[str, Any]", inner.get("message", inner)):
            return messages
    return messages[1:]


def _insert(root: dict[str, Any], path: list[str], value: Any) -> None:
    node = root
    for segment in path[:-1]:
        inner = node.setdefault(segment, {})
        if not isinstance(inner, dict):
            return
        node = cast("dict[str, Any]", inner)
    node.setdefault(path[-1], value)


def _listed(node: Any) -> Any:
    """Maps whose keys are all numbers as lists, at every level."""
    if not isinstance(node, dict):
        return node
    mapping = cast("dict[str, Any]", node)
    numbered = [key for key in mapping if key.isdecimal() and len(key) <= _MAX_DIGITS]
    if not numbered:
        return {key: _listed(value) for key, value in mapping.items()}
    return [_listed(mapping[key]) for key in sorted(numbered, key=int)]
