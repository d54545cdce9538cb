"""``otel-arthur onboard``: a model that the bridge can fill."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otel_arthur.cli.configured import CONNECTION, configured
from otel_arthur.cli.connection import connected
from otel_arthur.cli.errors import WorkFailed, WrongUse
from otel_arthur.cli.output import say
from otel_arthur.cli.parameters import Seconds, given

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
    help="Metadata besides the input and output text; an empty text is none.  [default: all]",
)
@click.option("--tokens", is_flag=True, help="With the tokens of the answer.")
@click.option("--likelihoods", is_flag=True, help="With the likelihoods of the tokens (implies --tokens).")
@click.option("--ground-truth", is_flag=True, help="With expected_text, to be sent later.")
@click.option(
    "--endpoint", callback=given, help="Arthur's address, instead of OTEL_EXPORTER_ARTHUR_ENDPOINT."
)
@click.option(
    "--api-key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that holds the key, instead of OTEL_EXPORTER_ARTHUR_API_KEY.",
)
@click.option(
    "--wait",
    type=Seconds(min=0),
    default=300.0,
    show_default=True,
    help="Seconds that the model may take to become ready.",
)
def command(
    name: str,
    names: str | None,
    tokens: bool,
    likelihoods: bool,
    ground_truth: bool,
    endpoint: str | None,
    api_key_file: Path | None,
    wait: float,
) -> None:
    """The model is called NAME. Prints nothing but the new model's id on standard output."""
    from otel_arthur.arthur.errors import AlreadyExists
    from otel_arthur.arthur.onboarding import model_request

    configuration = configured(
        *CONNECTION, endpoint=endpoint, api_key=_key(api_key_file) if api_key_file else None
    )
    metadata = _metadata(names)
    with connected(configuration) as client:
        request = model_request(
            name, metadata, tokens=tokens, likelihoods=likelihoods, ground_truth=ground_truth
        )
        try:
            _refuse_existing(client, name)
            model = client.create_model(request)
        except AlreadyExists as error:
            raise WorkFailed(_existing(name, error.model_id)) from None
        if not model.is_ready:
            say(f"Model {model.id} is {model.status}; waiting until it is ready", err=True)
            model = client.wait_until_ready(model.id, within=wait)
    count = len(request["attributes"])
    say(f"Model {name!r} is ready with {count} attributes; its id:", err=True)
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


def _key(file: Path) -> str:
    try:
        key = file.expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(f"--api-key-file cannot be read ({type(error).__name__}); name a text file") from None
    if not key:
        raise WrongUse("--api-key-file is empty; put the API key into it")
    return key


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
    return f"a model named {name!r} exists already{known}; use that one, or choose another name"
