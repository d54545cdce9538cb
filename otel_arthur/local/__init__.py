"""Local Arthur: Arthur's v3 API over SQLite with a few pages, for development and tests.

Needs the extra ``local``. The exporter never imports this room.
"""

from __future__ import annotations

from otel_arthur.local.database import StoreError
from otel_arthur.local.server import LocalArthur, LocalArthurError, RemoteAddressRefused
from otel_arthur.local.store import Store, StoredInference

__all__ = [
    "LocalArthur",
    "LocalArthurError",
    "RemoteAddressRefused",
    "Store",
    "StoreError",
    "StoredInference",
]
