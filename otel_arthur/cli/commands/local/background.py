"""``otel-arthur local --print-env``: a local Arthur that stays when the command ends, and how to reach it."""

from __future__ import annotations

import secrets
import shlex
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

from otel_arthur.arthur.client import ArthurClient
from otel_arthur.arthur.errors import NotFound
from otel_arthur.arthur.onboarding import model_request
from otel_arthur.cli.terminal.errors import WorkFailed
from otel_arthur.cli.terminal.output import say
from otel_arthur.configuration import Configuration
from otel_arthur.http.errors import ArthurError
from otel_arthur.local.database import IN_MEMORY
from otel_arthur.local.store import Store

ANSWER_SECONDS: Final = 30.0
"""For an answer of what listens already. Where nothing listens the look fails at once; a busy machine's local
Arthur takes its time, and a second one could not listen beside it."""


ANY_MODEL: Final = "$(otel-arthur onboard NAME)"
"""In the place of the model's id where no model is meant."""


def exports(url: str, api_key: str, model_id: str | None) -> list[str]:
    """The exporter's settings as a shell reads them."""
    return [
        f"export OTEL_EXPORTER_ARTHUR_ENDPOINT={url}",
        f"export OTEL_EXPORTER_ARTHUR_API_KEY={shlex.quote(api_key)}",
        f"export OTEL_EXPORTER_ARTHUR_MODEL_ID={model_id or ANY_MODEL}",
    ]


def running(
    host: str, port: int, db: Path | str, api_key: str | None, model_name: str | None
) -> list[str] | None:
    """The settings for a local Arthur that runs already at this address with this database, if one does."""
    if port == 0 or db == IN_MEMORY or not Path(db).exists():
        return None
    if api_key is None:
        with closing(Store(db)) as store:
            api_key = store.setting("api_key", lambda: secrets.token_urlsafe(24))
    url = f"http://{host}:{port}"
    configuration = Configuration(endpoint=url, api_key=api_key, timeout=ANSWER_SECONDS)
    client = ArthurClient.from_configuration(configuration)
    try:
        with closing(client):
            model_id = _model_of(client, model_name)
    except ArthurError:
        return None
    return exports(url, api_key, model_id)


def _model_of(client: ArthurClient, name: str | None) -> str | None:
    """The id of the model of this name, made where there is none; without a name, of the only model."""
    if name is None:
        models = client.models()
        return models[0].id if len(models) == 1 else None
    try:
        return client.model_named(name).id
    except NotFound:
        return client.create_model(model_request(name, ground_truth=True)).id


def running_or_started(
    host: str, port: int, db: Path | str, api_key: str | None, model_name: str | None, last_line: str
) -> list[str]:
    """The settings for the local Arthur that runs already, or else for one that starts now.

    Where no model is meant, its setting is left out, for a shell would run `ANY_MODEL`.

    Raises:
        WorkFailed: neither is; the message says why none starts.
    """
    address = (host, port, db, api_key, model_name)
    found = there = running(*address)
    if found is None:
        try:
            found = in_background(last_line)
        except WorkFailed:
            # Another shell's may have begun to listen since we looked, or may have been too busy to answer.
            found = there = running(*address)
            if found is None:
                raise
    if there is not None:
        # The link that it printed at its start works once.
        say(f"dashboard  http://{host}:{port}/ (the password is the API key)", err=True)
    settings = [line for line in found if not line.endswith(ANY_MODEL)]
    if len(settings) < len(found):
        say("No model is set: --model NAME finds or makes one.", err=True)
    return settings


def in_background(last_line: str) -> list[str]:
    """Start the same command in a session of its own; the settings that it prints, once it answers.

    Raises:
        WorkFailed: it does not start; the message is its own.
    """
    arguments = [argument for argument in sys.argv[1:] if argument != "--print-env"]
    process = subprocess.Popen(
        [sys.executable, "-m", "otel_arthur", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.strip())
        if lines[-1] == last_line:
            break
    else:
        raise WorkFailed(process.stderr.read().strip().removeprefix("Error: "))
    for line in lines:
        if line.startswith("dashboard"):
            say(line, err=True)
    say(f"Local Arthur runs in the background; `kill {process.pid}` ends it.", err=True)
    return [line for line in lines if line.startswith("export OTEL_EXPORTER_")]
