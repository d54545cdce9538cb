"""Where the tests find the project's own files."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The project's top folder: the folder from which ``python -m tests.…`` runs."""
TESTS = ROOT / "tests"
CAPTURES = TESTS / "captures"
CACHE = ROOT / ".cache"
"""What the tests build and keep between runs; never committed."""
