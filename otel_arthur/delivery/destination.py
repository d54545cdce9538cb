"""Where an inference goes: endpoint, organization or credential, model."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from hashlib import blake2b

from otel_arthur.configuration import Configuration
from otel_arthur.genai.call import LLMCall


@dataclass(frozen=True, slots=True)
class Destination:
    """The key under which records wait. Holds no credential."""

    endpoint: str
    """Empty where a setting that says what may be sent, and where, cannot be used."""
    identity: str
    """``org:`` and the configured organization, ``key:`` and a fingerprint of the credential, or empty
    where neither is configured."""
    model: str
    """Empty where no model is configured for the call."""

    @property
    def number(self) -> int:
        """The destination in the spool, the same in every spool: a digest of the key, positive."""
        return _number(self.endpoint, self.identity, self.model)

    @property
    def is_complete(self) -> bool:
        """Whether records can be sent from here as they are."""
        return bool(self.endpoint and self.identity and self.model)


@lru_cache(maxsize=256)
def _number(*key: str) -> int:
    return int.from_bytes(blake2b("\0".join(key).encode(), digest_size=8).digest(), "big") >> 1


def identity_of(configuration: Configuration) -> str:
    """Whose records these are, told without holding a secret: a digest cannot be turned back into a key."""
    if not (configuration.api_key or (configuration.login and configuration.password)):
        return ""
    if configuration.organization_id:
        return f"org:{configuration.organization_id}"
    secret = configuration.api_key or f"login:{configuration.login}"
    digest = blake2b(secret.encode(), digest_size=8, person=b"otel-arthur", salt=b"identity")
    return f"key:{digest.hexdigest()}"


def model_of(call: LLMCall, configuration: Configuration) -> str:
    """The model that a call's inferences go to, by the routes; empty where there is none."""
    return route(configuration, call.service_name, call.request_model)


def route(configuration: Configuration, *names: str | None) -> str:
    """The model by the first route that matches one of `names`, else the configured one, else empty."""
    for entry in configuration.routes:
        if any(name is not None and fnmatchcase(name, entry.pattern) for name in names):
            return entry.model_id
    return configuration.model_id or ""
