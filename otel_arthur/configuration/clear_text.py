"""Keys and prompts cross no network in the clear, unless a setting allows that."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from otel_arthur.configuration.resolution import Problem, source_of
from otel_arthur.configuration.setting import Setting


def refuse_clear_text(
    settings: tuple[Setting, ...],
    values: dict[str, Any],
    environ: Mapping[str, str],
    arguments: Mapping[str, Any],
) -> list[Problem]:
    """The problem of an endpoint that is reached in the clear. Its value becomes `Setting.unusable`.

    Args:
        settings: the rows of one target, with the fields ``endpoint`` and ``insecure``.
        values: the values by field, for all fields that are set.
    """
    if values.get("insecure") or not is_in_the_clear(values.get("endpoint", "")):
        return []
    endpoint, insecure = ([row for row in settings if row.field == name] for name in ("endpoint", "insecure"))
    source = source_of(endpoint, environ, arguments) or endpoint[0].variable
    values["endpoint"] = endpoint[0].unusable
    what = (
        "would send keys and prompts in the clear; "
        f"use https://, or set {insecure[0].name} to true ({insecure[0].variable})"
    )
    return [Problem(source, endpoint[0].name, what, is_protected=True)]


def is_in_the_clear(endpoint: str) -> bool:
    """Whether an endpoint is ``http://`` on another machine."""
    parts = urlsplit(endpoint)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine, by its spelling alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
