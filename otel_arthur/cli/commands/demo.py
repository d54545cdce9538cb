"""``otel-arthur demo``: the main job in one go, with local Arthur and a small local model."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from otel_arthur.cli.terminal import new_console
from otel_arthur.cli.terminal.errors import WorkFailed, WrongUse
from otel_arthur.cli.terminal.output import plural, print_json

if TYPE_CHECKING:
    from otel_arthur.cli.terminal.screen import Screen
    from otel_arthur.demo.runner import Outcome, Service

_PIPE_COLUMNS = 120
_EPILOG = "Example: otel-arthur demo --serve   (then look at the dashboard; Ctrl-C ends it)"


@click.command(epilog=_EPILOG)
@click.option("--serve", is_flag=True, help="Keep the dashboard up afterwards, until Ctrl-C.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the inferences as JSON lines on stdout, the rest on stderr.",
)
@click.option(
    "--openai",
    is_flag=True,
    help="Use the real service with OPENAI_API_KEY (and OPENAI_BASE_URL, MODEL) instead of the local model.",
)
@click.option(
    "--engine", is_flag=True, help="Send to local Arthur's Engine API, and show the traces as trees."
)
def command(serve: bool, as_json: bool, openai: bool, engine: bool) -> None:
    """Starts local Arthur, onboards a model, runs an unchanged LangChain application under
    opentelemetry-instrument with OTEL_TRACES_EXPORTER=arthur, and compares what arrived with the model
    server's own log. Exits 0 only if each answered call arrived exactly once and the failed one is
    accounted for.
    """
    signal.signal(signal.SIGTERM, _end)
    try:
        succeeded = _run(serve, as_json, _service() if openai else None, engine)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    sys.exit(0 if succeeded else 1)


def _run(serve: bool, as_json: bool, service: Service | None, engine: bool) -> bool:
    # Imported late: `--help` needs neither a server nor a model.
    from otel_arthur.demo.model_server import ModelServerError
    from otel_arthur.demo.report import inference_table
    from otel_arthur.demo.runner import INTERRUPTED, DemoError, DemoNotInstalledError, run_demo
    from otel_arthur.local.server import LocalArthurError

    console = new_console(err=as_json)
    try:
        with run_demo(
            service=service,
            output=sys.stderr if as_json else None,
            engine=engine,
            say=lambda line: console.print(line, style="dim"),
        ) as outcome:
            if as_json:
                for row in outcome.inferences:
                    print_json(row)
            elif engine:
                from otel_arthur.demo.engine import trees

                console.print()
                for tree in trees(outcome.traces):
                    console.print(tree)
            else:
                console.print()
                console.print(inference_table(outcome.inferences, _columns(console)), soft_wrap=False)
            if outcome.interrupted:
                console.print(
                    f"Stopped by Ctrl-C; {plural(len(outcome.inferences), 'inference')} had arrived."
                )
                sys.exit(INTERRUPTED)
            _conclude(console, outcome)
            if serve:
                _serve(console, outcome)
            else:
                console.print(
                    f"The dashboard was at {outcome.dashboard}; `otel-arthur demo --serve` keeps it up.",
                )
            return outcome.succeeded
    except DemoNotInstalledError as error:
        raise WrongUse(str(error)) from error
    except (DemoError, ModelServerError, LocalArthurError) as error:
        raise WorkFailed(str(error)) from error


def _columns(console: Screen) -> int:
    """What the table of texts may take: in a pipe lines have no end, but the texts are shortened."""
    return console.width if console.is_terminal else _PIPE_COLUMNS


def _conclude(console: Screen, outcome: Outcome) -> None:
    """The verdict, and a line for each thing that is wrong."""
    from otel_arthur.demo.report import verdict

    console.print(verdict(outcome.reconciliation))
    for line in outcome.reconciliation.complaints():
        console.print(line, style="red")
    if outcome.application_exit_code:
        console.print(f"the application ended with {outcome.application_exit_code}", style="red")


def _serve(console: Screen, outcome: Outcome) -> None:
    """Keeps everything up, and says how to send from another terminal."""
    from otel_arthur.demo.runner import LOCAL_API_KEY

    console.print()
    console.print("To chat yourself, in another terminal:")
    for name, value in outcome.variables.items():
        shown = '"$OPENAI_API_KEY"' if name == "OPENAI_API_KEY" and value != LOCAL_API_KEY else value
        console.print(f"  export {name}={shown}")
    console.print(f"  opentelemetry-instrument python {_chat()}")
    console.print()
    console.print(f"The dashboard is at {outcome.link} (Ctrl-C ends it).")
    with suppress(KeyboardInterrupt):
        threading.Event().wait()


def _chat() -> Path:
    """The example in the checkout, or where the package is installed."""
    example = Path("examples", "chat.py")
    installed = Path(sys.prefix, "share", "doc", "otel-arthur") / example
    return installed if installed.is_file() and not example.is_file() else example


def _service() -> Service:
    from otel_arthur.demo.runner import OPENAI_MODEL, OPENAI_URL, Service

    api_key = os.environ.get("OPENAI_API_KEY", "")
    if not api_key:
        raise WrongUse("--openai needs OPENAI_API_KEY, which is not set")
    return Service(
        api_key,
        os.environ.get("OPENAI_BASE_URL") or OPENAI_URL,
        os.environ.get("MODEL") or OPENAI_MODEL,
    )


def _end(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM unwinds like Ctrl-C, so that children, ports and files go."""
    sys.exit(128 + signal.SIGTERM)
