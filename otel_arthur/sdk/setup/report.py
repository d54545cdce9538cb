"""What is said of a configuration, once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from otel_arthur.configuration import Configuration

_logger = logging.getLogger("otel_arthur")


def report(configuration: Configuration, sender: Any = None, beside: Sequence[Configuration] = ()) -> None:
    """One line for each bad value, and one for why nothing is sent; never more, never an exception.

    Args:
        beside: earlier configurations, whose problems are in the log already.
    """
    said = {problem for other in beside for problem in other.problems}
    new = [problem for problem in configuration.problems if problem not in said]
    for problem in new:
        if not problem.is_protected:
            _logger.warning("otel-arthur: %s", problem)
    for note in configuration.notes:
        if not any(note in other.notes for other in beside):
            _logger.warning("otel-arthur: %s", note)
    reasons = [str(problem) for problem in new if problem.is_protected]
    if not beside:
        missing = configuration.missing
        if sender is not None:
            missing = (
                None if getattr(sender, "id", "unknown") else "call save() on the model before you pass it"
            )
        reasons += [missing] if missing is not None else []
    if reasons:
        withheld = any(problem.setting in ("content", "redact") for problem in configuration.unusable)
        _logger.warning(
            "otel-arthur: nothing is sent to Arthur yet: %s. Until then calls wait %s%s.",
            "; ".join(reasons),
            "in memory" if configuration.spool_dir is None else f"in {configuration.spool_dir}",
            ", without their texts" if withheld else "",
        )
