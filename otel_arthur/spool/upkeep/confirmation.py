"""Which destinations belong together: a model's under other credentials, known by their organization."""

from __future__ import annotations

from otel_arthur.spool.destination import Destination
from otel_arthur.spool.disk.store import Store


def confirm(store: Store, destination: Destination, organization: str) -> list[Destination]:
    """Remember the organization of a destination, as its target named it.

    Returns the destinations of the same model and organization under other credentials: a key was renewed.
    """
    with store.index.transaction() as index:
        index.execute(
            "UPDATE destinations SET organization = ? WHERE number = ?", (organization, destination.number)
        )
        rows = index.execute(
            "SELECT endpoint, identity, model, target FROM destinations WHERE endpoint = ? AND model = ? "
            "AND target = ? AND (organization = ? OR identity = ?)",
            (
                destination.endpoint,
                destination.model,
                destination.target,
                organization,
                f"org:{organization}",
            ),
        ).fetchall()
    return [Destination(*row) for row in rows]


def destinations(store: Store) -> list[tuple[Destination, str | None]]:
    """All destinations that the spool has seen, each with its organization as far as it was confirmed."""
    rows = store.index.read("SELECT organization, endpoint, identity, model, target FROM destinations")
    return [(Destination(*key), organization) for organization, *key in rows]
