"""``otel-arthur onboard``: a model that the bridge can fill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from otel_arthur.cli.configured import CONNECTION, configured
from otel_arthur.cli.connection import connected, model_json
from otel_arthur.cli.parameters import API_KEY_FILE, ENDPOINT, JSON, NamesAndTypes, seconds
from otel_arthur.cli.terminal.errors import WorkFailed, WrongUse
from otel_arthur.cli.terminal.output import plural, print_json, say

if TYPE_CHECKING:
    from otel_arthur.arthur.client import ArthurClient


@click.command(
    epilog="Example: export OTEL_EXPORTER_ARTHUR_MODEL_ID=$(otel-arthur onboard support-bot --ground-truth)"
)
@click.argument("name")
@click.option(
    "--fields",
    "names",
    metavar="A,B",
    help="Metadata besides the input and output text; an empty text adds none.  [default: all]",
)
@click.option("--tokens", is_flag=True, help="Add the tokens of the answer.")
@click.option("--likelihoods", is_flag=True, help="Add the likelihoods of the tokens (implies --tokens).")
@click.option("--ground-truth", is_flag=True, help="Add expected_text, to be sent later.")
@click.option(
    "--ground-truth-attribute",
    "own_truths",
    type=NamesAndTypes(),
    multiple=True,
    help="Add ground truth of your own, as in thumbs_up:BOOLEAN. Repeatable.",
)
@click.option(
    "--attribute",
    "own",
    type=NamesAndTypes(),
    multiple=True,
    help="Add metadata of your own, as in tenant:STRING; otel_arthur.context(tenant=...) or "
    "OTEL_EXPORTER_ARTHUR_ATTRIBUTES fills it. Repeatable.",
)
@click.option(
    "--exist-ok", is_flag=True, help="Where a model of this name exists, print its id instead of failing."
)
@ENDPOINT
@API_KEY_FILE
@JSON
@seconds("--wait", 300.0, "Seconds that the model may take to become ready.", min=0)
def command(
    name: str,
    names: str | None,
    tokens: bool,
    likelihoods: bool,
    ground_truth: bool,
    own_truths: Sequence[tuple[str, str]],
    own: Sequence[tuple[str, str]],
    exist_ok: bool,
    endpoint: str | None,
    api_key: str | None,
    as_json: bool,
    wait: float,
) -> None:
    """The model is called NAME. Prints nothing but the model's id on standard output."""
    from otel_arthur.arthur.errors import AlreadyExists
    from otel_arthur.arthur.onboarding import EXPECTED_TEXT, model_request
    from otel_arthur.inference.fields import TEXT

    configuration = configured(*CONNECTION, endpoint=endpoint, api_key=api_key)
    truths = {**({EXPECTED_TEXT: TEXT} if ground_truth else {}), **dict(own_truths)}
    with connected(configuration) as client:
        request = model_request(
            name,
            {**_metadata(names), **dict(own)},
            tokens=tokens,
            likelihoods=likelihoods,
            ground_truth=truths,
        )
        try:
            _refuse_existing(client, name)
            model = client.create_model(request)
            said = "is ready"
        except AlreadyExists as error:
            if not exist_ok or error.model_id is None:
                raise WorkFailed(_existing(name, error.model_id)) from None
            model = client.model(error.model_id)
            said = "exists"
        if not model.is_ready:
            say(f"Model {model.id} is {model.status}; waiting until it is ready", err=True)
            model = client.wait_until_ready(model.id, within=wait)
    there = {attribute.name for attribute in model.attributes}
    lacking = [one["name"] for one in request["attributes"] if one["name"] not in there]
    if lacking:
        say(f"Note: it has no attribute {', '.join(lacking)}; onboard it under another NAME", err=True)
    say(f"Model {name!r} {said} with {plural(len(model.attributes), 'attribute')}", err=True)
    if as_json:
        print_json(model_json(model))
    else:
        say(model.id)


def _metadata(names: str | None) -> Mapping[str, str]:
    from otel_arthur.arthur.onboarding import METADATA_FIELDS

    if names is None:
        return METADATA_FIELDS
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    # The texts are always there, so naming them does no harm.
    wanted = [name for name in wanted if name not in ("input_text", "output_text")]
    unknown = [name for name in wanted if name not in METADATA_FIELDS]
    if unknown:
        raise WrongUse(f"--fields: {', '.join(unknown)} unknown; choose from {', '.join(METADATA_FIELDS)}")
    return {name: METADATA_FIELDS[name] for name in wanted}


def _refuse_existing(client: ArthurClient, name: str) -> None:
    """Arthur may take a second model of the same name for a new version; we do not want to find out."""
    from otel_arthur.arthur.errors import AlreadyExists, NotFound

    try:
        existing = client.model_named(name)
    except NotFound:
        return
    raise AlreadyExists(f"model {name!r} exists", model_id=existing.id)


def _existing(name: str, model_id: str | None) -> str:
    known = f" with the id {model_id}" if model_id else ""
    return (
        f"a model named {name!r} exists already{known}; use that one (--exist-ok prints its id), "
        "or choose another name"
    )
