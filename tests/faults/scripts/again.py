"""Keep a journal of its own runs; may be run again."""

import os
import time

from agent.jumpscript import context, log

descr = "Keep a journal of its own runs; may be run again"
idempotent = True
timeout = 60


def note(journal: str, event: str, key: str) -> None:
    """Write one line that is on the disk before this returns."""
    file = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, f"{event} {key} {context.node_id} {os.getpid()} {time.time()}\n".encode())
    os.fsync(file)
    os.close(file)


def action(key: str, journal: str, seconds: float = 0.0, lines: int = 0) -> dict[str, object]:
    note(journal, "began", key)
    for number in range(lines):
        log.info(f"{key} {number}")
        time.sleep(seconds / lines)
    if not lines:
        time.sleep(seconds)
    note(journal, "ended", key)
    return {"key": key, "node": context.node_id}
