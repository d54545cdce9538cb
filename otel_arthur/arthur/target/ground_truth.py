"""Ground truth: when Arthur does not know an inference for good, and what to say where a model takes none."""

from __future__ import annotations

from typing import Final

NOT_FOUND: Final = 404
PATIENCE_SECONDS: Final = 900.0
PATIENCE_ATTEMPTS: Final = 20
"""Arthur must have said this often, and for so long, that it does not know the inference."""
NO_TRUTH: Final = (
    "the model has no ground truth attribute; `otel-arthur onboard NAME --ground-truth` creates one that has"
)


def is_lost(attempts: int, age: float) -> bool:
    """Whether an inference that Arthur does not know will not come any more."""
    return attempts >= PATIENCE_ATTEMPTS and age > PATIENCE_SECONDS
