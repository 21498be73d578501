"""Child processes that cannot outlive their parent."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable

PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(sign: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """Return a ``preexec_fn`` that has the kernel send ``sign`` to the child when this process ends, however it ends."""
    parent = os.getpid()

    def before_exec() -> None:
        os.setpgrp()  # Ctrl-C in a terminal goes to the parent alone, which then stops its children in order
        _libc.prctl(PR_SET_PDEATHSIG, int(sign), 0, 0, 0)
        if os.getppid() != parent:  # the parent ended between fork and prctl
            os._exit(1)

    return before_exec
