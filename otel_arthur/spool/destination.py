"""Where rows go: the key under which they wait."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class Destination:
    """The key under which records wait. Holds no credential."""

    endpoint: str
    """Empty where a setting that says what may be sent, and where, cannot be used."""
    identity: str
    """``org:`` and the configured organization, ``key:`` and a fingerprint of the credential, or empty
    where neither is configured."""
    model: str
    """The place at the endpoint, as its target names places. Empty where none is configured for the call."""
    target: str = ""
    """Which target it belongs to; empty for Arthur's v3 API."""

    @property
    def number(self) -> int:
        """The destination in the spool, the same in every spool: a digest of the key, positive."""
        # The digests of Arthur's v3 API are older than its name.
        return _number(self.endpoint, self.identity, self.model, *filter(None, (self.target,)))

    @property
    def is_complete(self) -> bool:
        """Whether records can be sent from here as they are."""
        return bool(self.endpoint and self.identity and self.model)


@lru_cache(maxsize=256)
def _number(*key: str) -> int:
    return int.from_bytes(blake2b("\0".join(key).encode(), digest_size=8).digest(), "big") >> 1
