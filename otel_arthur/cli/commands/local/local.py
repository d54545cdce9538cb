"""``otel-arthur local``: Arthur's API on this machine, for development and tests."""

from __future__ import annotations

import logging
import os
import shlex
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import click

from otel_arthur.arthur.onboarding import model_request
from otel_arthur.cli.commands.local.background import exports, running_or_started
from otel_arthur.cli.parameters import JSON, given, key_in
from otel_arthur.cli.terminal.errors import WorkFailed, WrongUse
from otel_arthur.cli.terminal.output import print_json, say
from otel_arthur.local import LocalArthur, LocalArthurError, RemoteAddressRefused, StoreError
from otel_arthur.local.database import IN_MEMORY
from otel_arthur.local.server import DEFAULT_LOGIN, DEFAULT_PORT, default_database
from otel_arthur.local.v3.models import new_document

_LONGEST_WAIT = 0.5
_KEY_VARIABLE = "OTEL_ARTHUR_LOCAL_API_KEY"
LAST_LINE = "Ctrl-C ends it."


@click.command(
    epilog="""Example:

\b
  otel-arthur local
  otel-arthur local --port 0 --db :memory:
  eval "$(otel-arthur local --model bot --print-env)"
""",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--db",
    metavar="FILE",
    callback=given,
    help="Database file, in a folder that exists, or :memory:.  "
    "[default: otel-arthur-local.db in your state folder]",
)
@click.option(
    "--api-key",
    metavar="KEY",
    help="The key that clients must send; other users of this machine see it in the list of processes.  "
    "[default: a random one, kept in the database]",
)
@click.option(
    "--api-key-file", type=click.Path(path_type=Path), metavar="FILE", help="A file that holds the key."
)
@click.option(
    "--model", "model_name", metavar="NAME", callback=given, help="Have a model of this name; see `onboard`."
)
@click.option(
    "--print-env",
    is_flag=True,
    help="Run in the background, or use the one that runs, and print the exporter's settings for a shell.",
)
@JSON
@click.option("--login", default=DEFAULT_LOGIN, show_default=True, help="Name for POST /login.")
@click.option("--password", help="Password for POST /login.  [default: the API key]")
@click.option(
    "--accept-duplicates",
    is_flag=True,
    help="Keep repeated ids as a careless server would, instead of refusing them.",
)
@click.option(
    "--max-body-mb",
    type=click.IntRange(min=1),
    default=32,
    show_default=True,
    help="Largest JSON request, inflated; more is answered 413.",
)
@click.option(
    "--allow-remote",
    is_flag=True,
    help="Permit a --host that other machines reach.",
)
@click.option(
    "--allowed-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="A further name that clients may call this machine by. Repeatable.",
)
def command(
    *,
    db: str | None,
    max_body_mb: int,
    api_key: str | None,
    api_key_file: Path | None,
    model_name: str | None,
    print_env: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Local Arthur refuses unknown attributes, wrong types, missing attributes and repeated ids, as a careful
    server would. Ctrl-C ends it.

    The variable OTEL_ARTHUR_LOCAL_API_KEY gives the key too.
    """
    if os.environ.get("OTEL_ARTHUR_DEBUG"):
        logging.basicConfig(level=logging.INFO)
    if db and db != IN_MEMORY and not Path(db).absolute().parent.is_dir():
        # A folder that is not there is a slip of the pen, and no place to look for one's data later.
        raise WrongUse(
            f"--db: there is no folder {Path(db).absolute().parent}; make it, or name another file"
        )
    if api_key and api_key_file:
        raise WrongUse("--api-key and --api-key-file exclude one another")
    key = key_in(api_key_file) if api_key_file else api_key or os.environ.get(_KEY_VARIABLE)
    if print_env and as_json:
        raise WrongUse("--print-env and --json exclude one another")
    if print_env:
        host, port = settings["host"], settings["port"]
        address = (host, port, db or default_database(), key, model_name)
        for line in running_or_started(*address, LAST_LINE):
            say(line)
        return
    leave = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        leave.set()

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    try:
        arthur = LocalArthur(
            db=db or default_database(), api_key=key, max_body_bytes=max_body_mb * 1024 * 1024, **settings
        )
        with arthur:
            model = _model(arthur, model_name) if model_name else None
            if as_json:
                print_json(_as_json(arthur))
            else:
                for line in _greeting(arthur, model):
                    say(line)
            # Waiting in short turns: on Windows a wait without end does not let Ctrl-C through.
            while not leave.wait(_LONGEST_WAIT):
                if not arthur.is_running:
                    raise WorkFailed("local Arthur stopped by itself; OTEL_ARTHUR_DEBUG=1 shows its log")
    except RemoteAddressRefused as error:
        raise WrongUse(str(error)) from None
    except (LocalArthurError, StoreError) as error:
        raise WorkFailed(str(error)) from None


def _model(arthur: LocalArthur, name: str) -> str:
    """The id of the model of this name, made where there is none."""
    existing = arthur.store.model(name, by_partner_id=True)
    if existing is not None:
        return existing.id
    document = new_document(model_request(name, ground_truth=True))
    arthur.store.add_model(document)
    return str(document["id"])


def _as_json(arthur: LocalArthur) -> dict[str, Any]:
    models = [{"id": one.id, "name": one.document["partner_model_id"]} for one in arthur.store.models()]
    reached = {"url": arthur.url, "dashboard": arthur.dashboard_link(), "api_key": arthur.api_key}
    return {**reached, "database": str(arthur.store.path), "models": models}


def _greeting(arthur: LocalArthur, model: str | None) -> list[str]:
    models = arthur.store.models()
    model_id = model or (models[-1].id if len(models) == 1 else None)
    path = arthur.store.path
    lines = [
        "Local Arthur, for development and tests",
        f"  API        {arthur.url}/api/v3",
        f"  dashboard  {arthur.dashboard_link()}",
        f"  API key    {arthur.api_key}",
        f"  database   {path if path == IN_MEMORY else Path(path).absolute()}",
        "",
        "For the exporter:",
        *(f"  {line}" for line in exports(arthur.url, arthur.api_key, model_id)),
    ]
    engine = [
        "",
        "For the exporter, as to the Arthur Engine (traces, no model):",
        f"  export ARTHUR_BASE_URL={arthur.url}",
        f"  export ARTHUR_API_KEY={shlex.quote(arthur.api_key)}",
    ]
    if len(models) > 1 and model is None:
        lines += [
            "",
            "Models here:",
            *(f"  {one.id}  {one.document['partner_model_id']!r}" for one in models),
        ]
    return [*lines, *engine, "", LAST_LINE]
