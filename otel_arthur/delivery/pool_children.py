"""Children that end past every exit handler: those of `multiprocessing`, and of Celery's prefork pool.

Both end with ``os._exit``, so neither the SDK's exit handler nor ours runs in them. Each has a hook of its
own for what must happen before. None of the modules is imported here: an application that has not
loaded them has no such children.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

_watched: set[str] = set()


class _Token:
    """Something that lives as long as this module: the registries hold weak references."""


_token = _Token()


def watch(farewell: Callable[[], None]) -> None:
    """Have `farewell` called in such children at their end. Call it before each fork; repeating is free."""
    for name in ("multiprocessing.util", "billiard.util"):
        if (module := _loaded(name)) is not None:
            # In the child, because what the parent has registered to be finalized is forgotten there.
            module.register_after_fork(_token, _finalizer(module, farewell))
    if (signals := _loaded("celery.signals")) is not None:

        def on_shutdown(**_fields: object) -> None:
            farewell()

        signals.worker_process_shutdown.connect(on_shutdown, weak=False, dispatch_uid="otel-arthur")


def _loaded(name: str) -> Any:
    """The module, the first time that it is found whole."""
    module = sys.modules.get(name)
    if module is None or name in _watched or getattr(module.__spec__, "_initializing", False):
        return None
    _watched.add(name)
    return module


def _finalizer(module: Any, farewell: Callable[[], None]) -> Callable[[object], None]:
    def register(_token: object) -> None:
        module.Finalize(None, farewell, exitpriority=0)

    return register
