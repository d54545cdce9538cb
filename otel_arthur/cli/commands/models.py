"""``otel-arthur models``: the models that the credentials may see."""

from __future__ import annotations

import click

from otel_arthur.cli.configured import CONNECTION, configured
from otel_arthur.cli.connection import connected, model_json
from otel_arthur.cli.parameters import API_KEY_FILE, ENDPOINT
from otel_arthur.cli.terminal import new_console
from otel_arthur.cli.terminal.output import print_json, say


@click.command(epilog="Example: otel-arthur models --json")
@ENDPOINT
@API_KEY_FILE
@click.option("--json", "as_json", is_flag=True, help="One JSON object a model, its attributes with types.")
def command(endpoint: str | None, api_key: str | None, as_json: bool) -> None:
    """Id, name and attributes of each."""
    configuration = configured(*CONNECTION, endpoint=endpoint, api_key=api_key)
    with connected(configuration) as client:
        models = client.models()
    if as_json:
        for model in models:
            print_json(model_json(model))
        return
    rows = [
        (
            model.id,
            model.display_name or model.partner_model_id or "",
            ", ".join(attribute.name for attribute in model.attributes if not attribute.implicit),
        )
        for model in models
    ]
    if rows:
        new_console().table(("id", "name", "attributes"), rows)
    else:
        say("no models; `otel-arthur onboard NAME` creates one")
