"""Makes what the tests of each tier need, cached under ``.cache/``, and says what cannot be made and why.

Run by ``make test`` before pytest. A tier that cannot run here is skipped by its tests with the
reason that is written to ``.cache/tiers.json``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module

from tests.support.paths import CACHE

TIERS = CACHE / "tiers.json"

PROVISIONERS = {
    "collector": "stock_collector",
    "interpreters": "interpreters",
    "arthurai": "arthurai_sdk",
    "callback_handler": "callback_handler",
    "instrumentations": "instrumentations",
    "celery": "celery_worker",
}
"""Tier -> module beside this one whose ``provision()`` makes it and returns why it cannot, or ''."""


def main() -> int:
    TIERS.parent.mkdir(exist_ok=True)
    reasons: dict[str, str] = {}
    for tier, module in PROVISIONERS.items():
        began = time.monotonic()
        print(f"tier {tier}: making what it needs ...", flush=True)
        reasons[tier] = _reason(import_module(f"{__package__}.{module}").provision)
        outcome = reasons[tier] or "ready"
        print(f"tier {tier}: {outcome} ({time.monotonic() - began:.0f} s)", flush=True)
    TIERS.write_text(json.dumps(reasons, indent=2))
    return 0


def _reason(provision: Callable[[], str]) -> str:
    try:
        return provision()
    except subprocess.CalledProcessError as error:
        return f"`{' '.join(map(str, error.cmd))[:120]}` failed with exit code {error.returncode}"
    except OSError as error:
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(main())
