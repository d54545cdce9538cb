"""What instrumentations write in their newest versions, beside what is recorded: `docs/recapture.md`.

    python -m tests.captures.newest                          # `make recapture`: all of them, an hour
    python -m tests.captures.newest oi-openai-0.1.66 …       # these; the rows of the others stay

A maintainer's first hour after a release of anybody's. Each recording is made again in an environment with
the newest versions that the registry serves, into ``.cache/newest/``, and compared with the one in
``tests/captures/``: which keys are new, lost, or of another type, and which fields are read otherwise.
Then the advice of calls without messages is tried (``advice.py``).
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from datetime import date
from itertools import chain
from pathlib import Path

import click

from otel_arthur.genai.duplicates.verdicts import judge
from otel_arthur.inference.build import build
from tests.captures import advice, recapture
from tests.captures.environments import Recording
from tests.captures.places import RECORDINGS, newest_place
from tests.captures.scenarios import scenarios_in
from tests.support.paths import CACHE, CAPTURES, ROOT

PAGE = ROOT / "docs" / "recapture.md"
NEWEST = CACHE / "newest"
HEAD = """# The newest versions, beside the recorded ones

Written by `make recapture` (some recordings: `make recapture NAMES="..."`). Each recording of
`tests/captures/` is made again with the newest packages, against the same model server. A key with `N` is
numbered; "read otherwise" counts the inferences that have a field, where the number is another one.

| recording | date | newest versions | keys | read otherwise |
|---|---|---|---|---|
"""
ROW = re.compile(r"^\| `([^`]+)` \|.*$", re.MULTILINE)
_NUMBER = re.compile(r"(?<=\.)\d+(?=\.|$)")
_IDS = frozenset({"trace_id", "span_id", "parent_span_id"})


def keys_of(folder: Path) -> dict[str, set[str]]:
    """Key (numbers in it are N) -> the types of its values, over all spans and events below a folder."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for view in chain.from_iterable(scenarios_in(folder)):
        for attributes in (view.attributes, *(event.attributes for event in view.events)):
            for key, value in attributes.items():
                found[_NUMBER.sub("N", key)].add(type(value).__name__)
    return dict(found)


def filled_in(folder: Path) -> dict[str, int]:
    """Field of an inference -> how many calls have it, and ``calls``."""
    found: defaultdict[str, int] = defaultdict(int)
    for verdict in chain.from_iterable(judge(views) for views in scenarios_in(folder)):
        if verdict.decision in ("inference", "failed") and verdict.reading.call is not None:
            found["calls"] += 1
            for inference in build(verdict.reading.call):
                for name in inference.data:
                    found[name] += name not in _IDS
    return dict(found)


def differences(old: Path, new: Path) -> tuple[str, str]:
    """What became of keys, and of the fields that are read, in all modes of a recording together."""
    before, after = keys_of(old), keys_of(new)
    told = [f"new `{key}`" for key in sorted(after.keys() - before.keys())]
    told += [f"lost `{key}`" for key in sorted(before.keys() - after.keys())]
    told += [
        f"`{key}` was {'/'.join(sorted(before[key]))}, is {'/'.join(sorted(after[key]))}"
        for key in sorted(before.keys() & after.keys())
        if before[key] != after[key]
    ]
    filled, now = filled_in(old), filled_in(new)
    read = [
        f"`{name}` in {now.get(name, 0)}, was {filled.get(name, 0)}"
        for name in sorted(filled.keys() | now.keys())
        if filled.get(name, 0) != now.get(name, 0)
    ]
    return ", ".join(told) or "as recorded", ", ".join(read) or "nothing"


def changed_versions(recording: Recording) -> str:
    """As in "openai 3.54.0 → 3.60.1", of the packages whose version is another one."""
    mode = next(iter(recording.modes))
    before, after = (
        json.loads((top / recording.folder / mode / "manifest.json").read_text())["packages"]
        for top in (CAPTURES, NEWEST)
    )
    changed = [
        f"{name} {before[name]} → {after[name]}"
        for name in before
        if after.get(name, "") != before[name] and name in after
    ]
    return ", ".join(changed) or "the recorded ones"


def row_of(recording: Recording) -> str:
    """The page's row of a recording, made again."""
    begin = f"| `{recording.folder}` | {date.today()} |"
    try:
        place = newest_place(recording, NEWEST / "environments")
        for mode in recording.modes:
            recapture.run(recording, mode, place, NEWEST)
    except click.ClickException as error:
        return f"{begin} {error.message.replace('|', '/')} | | |"
    keys, read = differences(CAPTURES / recording.folder, NEWEST / recording.folder)
    return f"{begin} {changed_versions(recording)} | {keys} | {read} |"


@click.command()
@click.argument("folders", nargs=-1)
@click.option("--advice-only", is_flag=True, help="Only try the advice of calls without messages.")
def main(folders: tuple[str, ...], advice_only: bool) -> None:
    """Records FOLDERS, or all, with the newest packages, and writes what changed."""
    known = {recording.folder: recording for recording in RECORDINGS}
    if unknown := [name for name in folders if name not in known]:
        raise click.UsageError(f"no such recording: {', '.join(unknown)}")
    page = PAGE.read_text() if PAGE.exists() else ""
    tables = [
        {match[1]: match[0] for match in ROW.finditer(part)}
        for part in page.partition(advice.HEAD.split("\n")[1])[::2]
    ]
    for name in folders or known:
        made = {} if advice_only else {0: row_of(known[name])}
        if name in advice.OFF:
            made[1] = advice.row_of(known[name], NEWEST / "environments")
        for number, row in made.items():
            tables[number][name] = row
            click.echo(row)
        parts = ("".join(f"{table[one]}\n" for one in known if one in table) for table in tables)
        PAGE.write_text("".join(chain.from_iterable(zip((HEAD, advice.HEAD), parts, strict=True))))


if __name__ == "__main__":
    main()
