"""The calls of files that are still to be sent: between two moments, and not dealt with by an earlier run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from otel_arthur.arthur.target.routes import identity_of
from otel_arthur.cli.commands.replay.journal import Journal
from otel_arthur.cli.files.verdicts import Placed
from otel_arthur.cli.terminal.errors import WrongUse
from otel_arthur.configuration import Configuration
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.steps.step import Meaning, Wordless
from otel_arthur.spool.errors import SpoolError
from otel_arthur.spool.folder import place_of, settled


def journal_folder(folder: Path, dry_run: bool) -> Path:
    """The folder that remembers how far a replay came; made where anything is sent."""
    try:
        place = place_of(folder) if dry_run else settled(folder)
    except (SpoolError, OSError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise WrongUse(
            f"the spool's folder {folder} cannot be used ({why}); "
            "OTEL_EXPORTER_ARTHUR_SPOOL_DIR names another, or is off"
        ) from None
    return place.folder / "replay"


class Item(NamedTuple):
    """A call to send, and where it stands."""

    call: LLMCall
    file: int
    position: int
    """How many spans of its file are dealt with once the call is."""
    is_wordless: bool = False
    """Whether its words were not recorded: then the call is for a target that counts tokens without words."""

    @property
    def meaning(self) -> Meaning:
        """The form in which the delivery takes the call."""
        return Wordless(self.call) if self.is_wordless else self.call


def work_in(
    verdicts: Iterable[Placed],
    done: Sequence[int],
    between: tuple[int | None, int | None],
    *,
    wants_wordless: bool,
) -> Iterator[Item]:
    """The calls to send, in the order of the files.

    Args:
        done: for each file, how many of its spans earlier runs have dealt with.
        between: the first moment and the one behind the last, in nanoseconds.
        wants_wordless: calls whose words were not recorded are sent too.
    """
    since, until = between
    wanted = {"inference", "failed", *(("skipped",) if wants_wordless else ())}
    for verdict, file, position in verdicts:
        call = verdict.reading.call
        if (
            position > done[file]
            and call is not None
            and verdict.decision in wanted
            and (since is None or call.end_ns >= since)
            and (until is None or call.end_ns < until)
        ):
            yield Item(call, file, position, verdict.decision == "skipped")


def journals_of(
    configuration: Configuration, folder: Path | None, digests: Sequence[bytes], between: str
) -> list[Journal]:
    """One for each file. The verdicts on a file's spans depend on the other files too: on their events."""
    together = blake2b(digest_size=16)
    for digest in sorted(digests):
        together.update(digest)
    engine = configuration.engine
    scope = (
        together.hexdigest(),
        between,
        configuration.endpoint,
        identity_of(configuration),
        configuration.model_id or "",
        *(f"{route.pattern}={route.model_id}" for route in configuration.routes),
        configuration.content,
        configuration.errors,
        *(() if engine is None else ("engine", engine.endpoint, engine.task_id or "", engine.spans)),
    )
    return [Journal(folder, digest, *scope) for digest in digests]
