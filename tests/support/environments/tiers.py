"""The tiers' environments, made by ``noxfile.py``: where they are, and the marks of tests that need one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.paths import CACHE


def environment(session: str) -> Path:
    """The folder of a session's environment, made or not: ``python(3.13)`` is in ``python-3-13``."""
    return CACHE / "nox" / session.replace("(", "-").replace(")", "").replace(".", "-")


def python_of(session: str) -> Path:
    """The interpreter of a session's environment."""
    return environment(session) / "bin" / "python"


def missing(session: str) -> str:
    """Why tests cannot use the environment now, or an empty text."""
    try:
        return (environment(session) / "reason.txt").read_text()
    except OSError:
        return f"not made: `nox --install-only -s '{session}'` says why"


def needs(session: str, tier: str = "") -> list[pytest.MarkDecorator]:
    """The marks of a test of a tier (by default named as the session) that needs the environment."""
    reason = missing(session)
    return [
        pytest.mark.slow,
        getattr(pytest.mark, tier or session),
        pytest.mark.skipif(bool(reason), reason=reason),
    ]
