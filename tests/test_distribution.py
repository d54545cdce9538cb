"""What README and docs name is there: for a user of the wheel, or for those who have the source."""

from __future__ import annotations

from tests.distribution import lacking, named_files, pages
from tests.support.paths import ROOT


def test_every_file_that_a_page_names_is_there() -> None:
    there = {name for page in pages() for name in named_files(page) if (ROOT / name).exists()}
    assert lacking(there, there) == []


def test_a_file_that_is_not_there_is_told() -> None:
    everything = {name for page in pages() for name in named_files(page)}
    told = lacking(everything - {"docs/spool.md"}, everything)
    assert "README.md names docs/spool.md, which is not there" in told
