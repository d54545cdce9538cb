"""The ``arthur`` and ``spool`` sections: where inferences go, and which call goes to which model."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from otel_arthur.collector.document import Section
from otel_arthur.configuration import Configuration
from otel_arthur.inference.redaction.redactors import checked

_TEXT_SETTINGS = ("input_format", "content", "errors", "compression")


@dataclass(frozen=True, slots=True)
class ModelRoute:
    """Calls that match go to one model. No match at all takes every call."""

    match: tuple[tuple[str, str], ...]
    """Attribute of the span or its resource, and the shell-style pattern that its value must fit."""
    model_id: str
    destination: Configuration = field(repr=False)
    """Endpoint, organisation and credentials; one delivery serves all routes that share them."""


def read_arthur(section: Section, spool: Section) -> Configuration:
    """The connection, with the spool's place and size. Nothing comes from ``OTEL_EXPORTER_ARTHUR_…``."""
    arguments: dict[str, Any] = {
        "endpoint": section.read("endpoint", _url, None),
        "organization_id": section.text("organization_id"),
        "timeout": section.read("timeout", seconds, None),
        "certificate": section.text("certificate"),
        "insecure": section.read("insecure", boolean, None),
        "duplicate_window": section.read("duplicate_window", seconds, None),
        "max_text_length": section.read("max_text_length", _whole_number, None),
        "attributes": section.pairs("attributes") or None,
        "redact": section.texts("redact") or None,
        "spool_dir": spool.read("directory", lambda value: Path(value).expanduser(), None),
        "spool_max_bytes": spool.read("max_mb", megabytes, None),
        "spool_max_age": spool.read("max_age", seconds, None),
    }
    arguments.update(_credentials(section))
    arguments.update({name: section.text(name) for name in _TEXT_SETTINGS})
    arguments["sample_ratio"] = section.read("sample_ratio", _ratio, None)
    configuration = checked(Configuration.from_environment({}, **arguments))
    for problem in configuration.problems:
        section.problem(problem.field, problem.what.removeprefix("it "))
    return configuration


def read_routes(section: Section, connection: Configuration) -> tuple[ModelRoute, ...]:
    """The list under ``models``, in order; a route may have credentials and an organisation of its own."""
    routes: list[ModelRoute] = []
    for item in section.sections("models"):
        match = tuple(item.pairs("match").items())
        model_id = item.text("model_id")
        if model_id is None:
            item.problem("model_id" if "model_id" in item else None, "needs a model_id")
        own = {key: value for key, value in _credentials(item).items() if value is not None}
        organization = item.text("organization_id")
        item.finish()
        if routes and not routes[-1].match:
            item.problem(None, "is never reached: the route before it has no match and takes every call")
        destination = connection
        if own:
            # Another key is another account: nothing of the common credentials may go with it.
            destination = replace(connection, **{"api_key": None, "login": None, "password": None, **own})
        if organization:
            destination = replace(destination, organization_id=organization)
        if model_id is not None:
            if not (destination.api_key or (destination.login and destination.password)):
                section.problem(
                    "api_key" if "api_key" in section else None,
                    "needs an api_key (or api_key_file, or login and password); "
                    "write api_key: ${env:ARTHUR_API_KEY}",
                )
            routes.append(ModelRoute(match, model_id, destination))
    if not routes and not section.sections("models"):
        section.problem(
            None,
            "needs models, a list such as - {model_id: ...} (`otel-arthur onboard NAME` creates a model)",
        )
    return tuple(routes)


def _credentials(section: Section) -> dict[str, str | None]:
    return {
        "api_key": section.text("api_key") or section.read("api_key_file", secret_file, None),
        "login": section.text("login"),
        "password": section.text("password"),
    }


def seconds(value: str) -> float:
    """``10``, ``2.5``, ``500ms``, ``10s`` or ``5m``, in seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)?", value)
    scale = {None: 1.0, "s": 1.0, "ms": 0.001, "m": 60.0, "h": 3600.0}
    if match is None or float(match[1]) <= 0:
        raise ValueError("must be a time greater than 0, as in 10s, 500ms or 5m")
    return float(match[1]) * scale[match[2]]


def megabytes(value: str) -> int:
    """A size in MiB, in bytes."""
    if not _is_number(value) or float(value) <= 0:
        raise ValueError("must be a number of megabytes greater than 0")
    return int(float(value) * 1024 * 1024)


def boolean(value: str) -> bool:
    """``true`` or ``false``."""
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise ValueError("must be true or false")


def existing_file(value: str) -> Path | None:
    """A file that can be read."""
    path = Path(value).expanduser()
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"names a file that cannot be read ({error.strerror})") from None


def secret_file(value: str) -> str | None:
    """What a file holds, without the line's end."""
    path = existing_file(value)
    content = path.read_text(encoding="utf-8", errors="replace").strip() if path else ""
    if not content:
        raise ValueError("names an empty file; put the secret into it")
    return content


def _url(value: str) -> str | None:
    if not re.match(r"https?://[^/?#\s@]+", value):
        raise ValueError("must be a URL without a password, as in https://app.arthur.ai")
    return value


def _whole_number(value: str) -> int | None:
    if not value.isascii() or not value.isdigit() or int(value) == 0:
        raise ValueError("must be a whole number greater than 0")
    return int(value)


def _ratio(value: str) -> float | None:
    if not _is_number(value) or not 0 <= float(value) <= 1:
        raise ValueError("must be a number from 0 to 1")
    return float(value)


def _is_number(value: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", value) is not None
