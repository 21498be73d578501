"""Print and log in turn."""

import subprocess
import sys
import time

from agent.jumpscript import log

descr = "Print and log in turn"


def action(count: int = 10, pause: float = 0.0) -> None:
    for number in range(count):
        print(f"printed {number}")  # noqa: T201
        log.info(f"logged {number}")
        time.sleep(pause)
    print("to stderr", file=sys.stderr)  # noqa: T201
    print("no end of line", end="")  # noqa: T201
    subprocess.run(["echo", "from a child"], check=True)
