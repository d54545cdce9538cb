"""Which part of each room the tests run: `docs/coverage.md`, written by `make coverage`.

python -m tests.coverage_page     # of the `.coverage` that pytest left
"""

from __future__ import annotations

import datetime
from collections import Counter
from pathlib import Path

from coverage import Coverage

from tests.support.checks import machine
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "coverage.md"
HEAD = """# Coverage

Written by `make coverage` on {date}, on {machine}: the statements of each room that the tests run.
Commands and the collector are measured where they end by themselves. Applications that tests start or kill
are not (`UNMEASURED` in `tests/conftest.py`).

| room | statements | run |
|---|---:|---:|
"""


def main() -> None:
    measured = Coverage(data_file=str(ROOT / ".coverage"))
    measured.load()
    statements, missed = Counter[str](), Counter[str]()
    # The pages' templates are among the files, and are no Python.
    for name in filter(lambda name: name.endswith(".py"), measured.get_data().measured_files()):
        parts = Path(name).relative_to(ROOT / "otel_arthur").parts
        room = f"`{parts[0]}/`" if len(parts) > 1 else "the package's own files"
        _, lines, _, not_run, _ = measured.analysis2(name)
        statements[room] += len(lines)
        missed[room] += len(not_run)
    rows = [
        f"| {room} | {number} | {1 - missed[room] / number:.0%} |\n"
        for room, number in sorted(statements.items())
    ]
    total = statements.total()
    rows.append(f"| **all** | **{total}** | **{1 - missed.total() / total:.0%}** |\n")
    head = HEAD.format(date=datetime.datetime.now(datetime.timezone.utc).date(), machine=machine())
    PAGE.write_text(head + "".join(rows))
    print(f"docs/{PAGE.name}: {1 - missed.total() / total:.1%} of {total} statements are run")


if __name__ == "__main__":
    main()
