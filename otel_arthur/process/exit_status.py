"""The exit status after a Ctrl-C that nobody caught: the process dies of SIGINT, as a shell expects.

Read from CPython 3.10 to 3.13 (``pythonrun.c``, ``run_eval_code_obj``): the interpreter notes that a
KeyboardInterrupt ended the program, and forgets that when code in a text is run, as `dataclass` does. So what
is imported while exit handlers run would turn the status into 1.
"""

from __future__ import annotations

import contextlib
import sys


def keep() -> None:
    """At the end of an exit handler: have the interpreter note it once more, where it was so."""
    if getattr(sys, "last_type", None) is KeyboardInterrupt and not hasattr(sys, "ps1"):
        with contextlib.suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")
