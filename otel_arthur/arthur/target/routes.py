"""The model of a call and the identity of its rows, by the configuration."""

from __future__ import annotations

from fnmatch import fnmatchcase

from otel_arthur.configuration import Configuration
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.planned import Planned, whole
from otel_arthur.target.service import fingerprint


def identity_of(configuration: Configuration) -> str:
    """The identity of the rows, which holds no secret."""
    if not (configuration.api_key or (configuration.login and configuration.password)):
        return ""
    if configuration.organization_id:
        return f"org:{configuration.organization_id}"
    return fingerprint(configuration.api_key or f"login:{configuration.login}")


def model_of(call: LLMCall | Planned, configuration: Configuration) -> str:
    """The model that a call's inferences go to, by the routes; empty where there is none."""
    if not configuration.routes:
        return route(configuration)
    call = whole(call)
    return route(configuration, call.service_name, call.request_model)


def route(configuration: Configuration, *names: str | None) -> str:
    """The model by the first route that matches one of `names`, else the configured one, else empty."""
    for entry in configuration.routes:
        if any(name is not None and fnmatchcase(name, entry.pattern) for name in names):
            return entry.model_id
    return configuration.model_id or ""
