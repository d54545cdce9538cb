"""Children that end past every exit handler: those of `multiprocessing`, and of Celery's prefork pool.

Both end with ``os._exit``, so neither the SDK's exit handler nor ours runs in them. Each library has a hook
of its own for what must happen before. None of the modules is imported here: an application that has not
loaded them has no such children.

Read from: CPython 3.10 to 3.13 (``multiprocessing.process.BaseProcess._bootstrap`` clears the finalizers,
runs what was registered for after a fork, and runs the finalizers at the end, whatever the start method),
billiard 4.2 and 4.3, Celery 5.4 and 5.7 (``tests/delivery/ends/test_servers.py``).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from otel_arthur.process.per_process import PerProcess

_registered: PerProcess[set[str]] = PerProcess(set)
"""Names of modules whose hook is set in this process."""
_inherited: set[str] = set()
"""Names of modules that set the hook in each child that starts from here."""


class _Token:
    """Something that lives as long as this module: the registries hold weak references."""


_token = _Token()


def watch(farewell: Callable[[], None]) -> None:
    """Have `farewell` called in such children at their end, and here, if this process is one.

    Call it before each fork and where an exporter is made; repeating is free.
    """
    for name in ("multiprocessing.util", "billiard.util"):
        module = _loaded(name)
        if module is None:
            continue
        if name not in _inherited:
            _inherited.add(name)
            # In the child, because what the parent has registered to be finalized is forgotten there.
            module.register_after_fork(_token, _finalizing(module, farewell))
        if name == "multiprocessing.util" and _is_child():
            # Made in the child itself: what is registered for after a fork comes too late.
            _finalize(module, farewell)
    signals = _loaded("celery.signals")
    if signals is not None and "celery.signals" not in _inherited:
        _inherited.add("celery.signals")

        def on_shutdown(**_fields: object) -> None:
            farewell()

        signals.worker_process_shutdown.connect(on_shutdown, weak=False, dispatch_uid="otel-arthur")


def _finalizing(module: Any, farewell: Callable[[], None]) -> Callable[[object], None]:
    return lambda _token: _finalize(module, farewell)


def _finalize(module: Any, farewell: Callable[[], None]) -> None:
    names = _registered.get()
    if module.__name__ not in names:
        names.add(module.__name__)
        module.Finalize(None, farewell, exitpriority=0)


def _is_child() -> bool:
    parent_process = getattr(sys.modules.get("multiprocessing.process"), "parent_process", None)
    return parent_process is not None and parent_process() is not None


def _loaded(name: str) -> Any:
    """The module, where it is loaded and whole."""
    module = sys.modules.get(name)
    return None if module is None or getattr(module.__spec__, "_initializing", False) else module
