"""Do what a script should not."""

import os
import subprocess
import time
from pathlib import Path

descr = "Do what a script should not"
timeout = 60
memory = 200
cpu = 1


def action(how: str, size: int = 0) -> object:
    if how == "eat":
        return len(b"x" * size * 2**20)
    if how == "children eat":
        return subprocess.run(["python3", "-c", f"print(len(b'x' * {size} * 2**20))"], check=False).returncode
    if how == "spin":
        while True:
            pass
    if how == "print":
        print("x" * 20 * 2**20)  # noqa: T201
        for _ in range(size):
            print("y" * 2**20)  # noqa: T201
        return "printed"
    if how == "child prints":
        with subprocess.Popen(["yes", "no end"], stdout=subprocess.PIPE) as child:
            return subprocess.run(["head", "-c", str(size * 2**20)], stdin=child.stdout, check=False).returncode
    found = [detached(), detached()]
    if how == "leave":
        print(*found, flush=True)  # noqa: T201
        time.sleep(0.5)
        os._exit(3)
    return found


def detached() -> int:
    """Start a daemon as daemons do it, and return its number."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(writer, str(os.getpid()).encode())
            Path("/proc/self/oom_score_adj").write_text("1000")
            time.sleep(600)
        os._exit(0)
    return int(os.read(reader, 20))
