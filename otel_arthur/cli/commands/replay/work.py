"""The calls of files that are still to be sent: between two moments, and not dealt with by an earlier run."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

from msgspec import Struct

from otel_arthur.arthur.target.routes import identity_of
from otel_arthur.cli.commands.replay.journal import Journal
from otel_arthur.cli.files.verdicts import Placed
from otel_arthur.cli.terminal.errors import WrongUse
from otel_arthur.configuration import Configuration
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.events.waiting import size_of
from otel_arthur.genai.planned import Planned, whole
from otel_arthur.genai.steps.step import Meaning, Wordless
from otel_arthur.spool.errors import SpoolError
from otel_arthur.spool.folder import place_of, settled

_SAMPLE: Final = 16
"""The size of one call in so many is measured."""


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


class Item(Struct, frozen=True, gc=False):
    """A call to send, and where it stands."""

    call: LLMCall | Planned
    end_ns: int
    file: int
    position: int
    """How many spans of its file are dealt with once the call is."""
    is_wordless: bool = False
    """Whether its words were not recorded: then the call is for a target that counts tokens without words."""

    @property
    def meaning(self) -> Meaning:
        """The form in which the delivery takes the call."""
        return Wordless(whole(self.call)) if self.is_wordless else self.call


class Work:
    """Which calls are to be sent.

    Args:
        done: for each file, how many of its spans earlier runs have dealt with.
        between: the first moment and the one behind the last, in nanoseconds.
        limit: so many at most.
        wants_wordless: calls whose words were not recorded are sent too.
    """

    def __init__(
        self,
        done: Sequence[int],
        between: tuple[int | None, int | None],
        limit: int | None,
        *,
        wants_wordless: bool,
    ) -> None:
        self._done = done
        self._since, self._until = between
        self.left = limit
        """So many more may be sent; None without a limit."""
        self.bytes = 0
        """Of all calls so far, about, as their spans have them."""
        self._taken = 0
        self._wanted = {"inference", "failed", *(("skipped",) if wants_wordless else ())}

    @property
    def is_full(self) -> bool:
        """Whether the limit is reached."""
        return self.left == 0

    def item(self, placed: Placed) -> Item | None:
        """The call to send; None where it is none, or is not to be sent."""
        verdict, file, position = placed
        call = verdict.found if isinstance(verdict.found, Planned) else verdict.found.call
        end_ns = verdict.view.end_ns
        if (
            call is None
            or self.is_full
            or position <= self._done[file]
            or verdict.decision not in self._wanted
            or (self._since is not None and end_ns < self._since)
            or (self._until is not None and end_ns >= self._until)
        ):
            return None
        if self.left is not None:
            self.left -= 1
        if self._taken % _SAMPLE == 0:
            self.bytes += size_of((verdict.view.attributes, verdict.view.events)) * _SAMPLE
        self._taken += 1
        return Item(call, end_ns, file, position, verdict.decision == "skipped")


def journals_of(
    configuration: Configuration, folder: Path | None, digests: Sequence[bytes | None], between: str
) -> list[Journal]:
    """One for each file. The verdicts on a file's spans depend on the other files too: on their events.

    What is read once, such as standard input, has no digest, and the journals remember nothing.
    """
    known = [digest for digest in digests if digest is not None]
    if len(known) < len(digests):
        folder = None
    together = blake2b(digest_size=16)
    for digest in sorted(known):
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
    return [Journal(folder, digest or b"", *scope) for digest in digests]
