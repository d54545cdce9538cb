"""Clients of Arthur: our own, a live model of Arthur's SDK, or any object with the same methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from otel_arthur.arthur.models import Model
from otel_arthur.arthur.rows import RowResult


class Client(Protocol):
    """The methods of a client that the delivery calls; `ArthurClient` has them."""

    def organization_id(self) -> str: ...
    def model(self, model_id: str, *, timeout: float | None = None) -> Model: ...
    def send_inferences(
        self, model_id: str, rows: Sequence[bytes], *, timeout: float | None = None
    ) -> list[RowResult]: ...
    def send_ground_truth(
        self, model_id: str, rows: Sequence[bytes], *, timeout: float | None = None
    ) -> list[RowResult]: ...
    def close(self) -> None: ...


def is_model(sender: Any) -> bool:
    """Whether `client_of` can use the object."""
    try:
        names = ("send_inferences", "update_inference_ground_truths", "attributes", "id")
        return hasattr(sender, "send_ground_truth") or all(hasattr(sender, name) for name in names)
    except Exception:  # the application's object: its properties may raise anything
        return False


def client_of(sender: Any) -> tuple[Client | None, str | None]:
    """`sender` as a client, and the model that this client is bound to, if any."""
    if sender is None or hasattr(sender, "send_ground_truth"):
        return sender, None
    from otel_arthur.arthur.live_model import LiveModel

    live = LiveModel(sender)
    return live, live.model_id
