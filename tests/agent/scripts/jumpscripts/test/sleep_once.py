"""Sleep, with a mark that it ran."""

import time
from pathlib import Path

from agent.jumpscript import context, log

descr = "Sleep, with a mark that it ran"
idempotent = False
timeout = 30


def action(seconds: float, mark: str = "") -> float:
    log.info("begin")
    if mark:
        with Path(mark).open("a") as file:
            file.write("ran\n")
    context.progress(50, "half way")
    time.sleep(seconds)
    return seconds
