"""End the worker process from within."""

import os
import signal
import sys

descr = "End the worker process from within"


def action(how: str) -> None:
    if how == "signal":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "exit":
        os._exit(3)
    sys.exit(4)
