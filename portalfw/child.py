"""Child processes that cannot outlive their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import IO

PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None, use_errno=True)


def start(
    command: Sequence[str], *, output: IO[bytes] | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start ``command`` as a child that gets SIGTERM when this process ends, however it ends.

    What it prints goes to ``output``, or nowhere; ``environment`` is added to ours. It has a process group of its own:
    Ctrl-C in a terminal goes to the parent alone, which then stops its children in order.
    """
    parent = os.getpid()

    def before_exec() -> None:
        os.setpgrp()
        _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:  # the parent ended between fork and prctl
            os._exit(1)

    sink: IO[bytes] | int = output or subprocess.DEVNULL
    return subprocess.Popen(  # the death signal can only be asked for between fork and exec, where no lock is taken
        command,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=sink,
        stderr=sink,
        preexec_fn=before_exec,  # noqa: PLW1509
    )


def stop(process: subprocess.Popen[bytes], limit: float) -> None:
    """End a child: SIGTERM, and SIGKILL if it has not gone within ``limit`` seconds."""
    process.terminate()
    try:
        process.wait(limit)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
