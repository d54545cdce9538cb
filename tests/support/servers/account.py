"""A local Arthur as the collector's tests see it."""

from __future__ import annotations

from typing import Any, Protocol

from click.testing import CliRunner

from otel_arthur.arthur.client import ArthurClient
from otel_arthur.arthur.onboarding import model_request
from otel_arthur.cli import cli
from otel_arthur.configuration import Configuration
from otel_arthur.local import LocalArthur


class Reachable(Protocol):
    """An Arthur, by what one needs to know of it."""

    @property
    def url(self) -> str: ...

    @property
    def api_key(self) -> str: ...


def onboarded(arthur: Reachable, request: dict[str, Any] | None = None) -> str:
    """A new model's id: of what `model_request` made, by default with all that the bridge can fill."""
    client = ArthurClient.from_configuration(
        Configuration.from_environment({}, endpoint=arthur.url, api_key=arthur.api_key)
    )
    try:
        return client.create_model(request or model_request("bot")).id
    finally:
        client.close()


def presentations(arthur: LocalArthur, model_id: str) -> dict[str, int]:
    """How often each ``partner_inference_id`` was accepted, in order of first arrival."""
    rows = arthur.store.read(
        "SELECT partner_inference_id, count(*) FROM inferences WHERE model_id = ? "
        "GROUP BY partner_inference_id ORDER BY min(number)",
        (model_id,),
    )
    return dict(rows)


class Account:
    """A local Arthur, and what is asked of it."""

    def __init__(self, arthur: LocalArthur) -> None:
        self.arthur = arthur

    @property
    def url(self) -> str:
        return self.arthur.url

    @property
    def api_key(self) -> str:
        return self.arthur.api_key

    def onboard(self, name: str) -> str:
        """A new model's id, by the documented command."""
        environment = {
            "OTEL_EXPORTER_ARTHUR_ENDPOINT": self.url,
            "OTEL_EXPORTER_ARTHUR_API_KEY": self.api_key,
        }
        done = CliRunner(env=environment).invoke(cli, ["onboard", name])
        assert done.exit_code == 0, done.output
        # Old releases of click put stderr's line before it.
        return done.stdout.split()[-1]

    def inferences(self, model_id: str) -> dict[str, dict[str, Any]]:
        """The data of everything that this model has, by ``partner_inference_id``."""
        page = self.arthur.store.inferences(model_id, limit=100_000)
        return {row.partner_inference_id: dict(row.inference_data) for row in page.inferences}

    def count(self, model_id: str) -> int:
        """How many inferences this model has."""
        return self.arthur.store.count(model_id)
