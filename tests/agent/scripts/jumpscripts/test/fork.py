"""Start children that outlast their welcome."""

import os
import subprocess
import time

descr = "Start children that outlast their welcome"
timeout = 1


def action(fork_only: bool = False) -> str:
    if fork_only:
        return "child" if os.fork() == 0 else "parent"
    print(subprocess.Popen(["sleep", "300"]).pid)  # noqa: T201
    forked = os.fork()
    if forked:
        print(forked)  # noqa: T201
    time.sleep(300)
    return "late"
