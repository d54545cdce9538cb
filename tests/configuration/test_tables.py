"""The table of settings is what the documentation and the types of the arguments say."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from otel_arthur import ArthurLogExporter, ArthurSpanExporter, instrument
from otel_arthur.configuration import SETTINGS
from otel_arthur.configuration.arguments import Settings
from tests.configuration.tables import files


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_what_is_generated_is_true(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == files()[path], "run `make tables`"


def test_every_setting_is_an_argument_that_an_editor_completes() -> None:
    assert list(Settings.__annotations__) == [setting.name for setting in SETTINGS]
    for taker in (ArthurSpanExporter, ArthurLogExporter, instrument):
        assert inspect.signature(taker).parameters["settings"].annotation == "Unpack[Settings]"


def test_names_are_unique() -> None:
    keys = [setting.key for setting in SETTINGS if setting.key]

    assert len({setting.variable for setting in SETTINGS}) == len(SETTINGS)
    assert len(set(keys)) == len(keys)
