"""Tell where a script runs."""

import os

from agent.jumpscript import context

descr = "Tell where a script runs"
idempotent = True


def action(fetch: str = "", sha256: str | None = None) -> dict[str, object]:
    fetched = context.fetch_file(fetch, sha256).read_text() if fetch else ""
    return {
        "node_id": context.node_id,
        "site": context.site,
        "hypervisor": context.hypervisor,
        "work": context.work.is_dir(),
        "run": context.run.is_dir(),
        "fetched": fetched,
        "pid": os.getpid(),
    }
