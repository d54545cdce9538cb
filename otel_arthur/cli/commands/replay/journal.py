"""How far a replay has come: one small file for each file replayed, beside the spool."""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path

import orjson


class Journal:
    """Remembers how many spans of a file are done, for one destination and time range.

    Without a folder, and where its file cannot be read, the journal knows of none: a call that is presented
    again has the same id.
    """

    def __init__(self, folder: Path | None, digest_of_file: bytes, *scope: str) -> None:
        digest = blake2b(digest_of_file, digest_size=16)
        for part in scope:
            digest.update(b"\0" + part.encode())
        self.path = None if folder is None else folder / f"{digest.hexdigest()}.json"

    def spans_done(self) -> int:
        """How many spans at the beginning of the file are done."""
        if self.path is None:
            return 0
        try:
            done = orjson.loads(self.path.read_bytes())["spans_done"]
        except (OSError, ValueError, KeyError, TypeError):
            return 0
        return done if isinstance(done, int) and done > 0 else 0

    def advance(self, spans_done: int) -> None:
        """Remember, atomically; where the file cannot be written, nothing is remembered."""
        if self.path is None:
            return
        temporary = self.path.with_suffix(f".{os.getpid()}")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary.write_bytes(orjson.dumps({"spans_done": spans_done}))
            temporary.replace(self.path)
        except OSError:
            temporary.unlink(missing_ok=True)
