"""Each fault is met on the way to either of Arthur's faces.

What disks and kills do is the spool's, whatever the target: on the way to the Engine those run in
``make faults`` (FACES=all), and in every run only what concerns its connection and its doubts.
"""

from __future__ import annotations

import os

import pytest

from tests.support.servers.faces import ENGINE, V3

BOTH = (
    "test_it_waits_and_arrives_once_mended",
    "test_an_authority_that_is_trusted_later_is_for_the_next_process",
    "test_a_proxy_that_refuses_holds_all_until_it_lets_through",
    "test_killed_after_acceptance_the_same_rows_are_presented_once_more",
    "test_killed_at_random_points_many_times",
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    given = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "face" in metafunc.fixturenames and not any("face" in names for names in given):
        both = os.environ.get("FACES") == "all" or metafunc.function.__name__ in BOTH
        faces = {"v3": V3, "engine": ENGINE} if both else {"v3": V3}
        metafunc.parametrize("face", faces.values(), ids=faces.keys())
