"""Print and log in turn."""

import subprocess
import sys
import time

from agent.jumpscript import log

descr = "Print and log in turn"


def action(count: int = 10, pause: float = 0.0):
    for number in range(count):
        print(f"printed {number}")
        log.info(f"logged {number}")
        time.sleep(pause)
    print("to stderr", file=sys.stderr)
    print("no end of line", end="")
    subprocess.run(["echo", "from a child"], check=True)
