"""Cut logs that have grown too long, and remove rotated ones, in places that are known."""

from __future__ import annotations

from typing import Any

descr = "Cut logs that have grown too long, and remove rotated ones, in places that are known."
organization = "portalfw"
author = "portalfw"
name = "cleanlogs"
category = "node"
roles = ()
queue = "default"
period = "0 47 3 * * *"
order = 0
timeout = 120
enable = True
startatboot = False
log = True
idempotent = True


def action(most_mib: int = 100, keep_mib: int = 10) -> dict[str, Any]:
    """Return what was done: ``files`` (path, cut or removed, bytes freed) and ``freed`` together.

    Params: logs longer than ``most_mib`` are cut to their last ``keep_mib``, 1 at least. The places are those of
    libvirt's logs and of this installation's gateways; the file ``log-folders`` in the agent's work folder names more,
    one a line, and only who has the node can write it.
    """
    from dataclasses import asdict
    from pathlib import Path

    from agent.jumpscript import context, log
    from sal.system.logs import clean_logs

    places = [Path("/var/log/libvirt"), Path("/var/log/libvirt/qemu"), *sorted(context.run.glob(f"{context.site}-g*"))]
    more = context.work / "log-folders"
    if more.is_file():
        places += [Path(line.strip()) for line in more.read_text(encoding="utf-8").splitlines() if line.startswith("/")]
    done = clean_logs(places, most_mib << 20, keep_mib << 20)
    for one in done:
        log.info(f"{one.action} {one.path}: {one.freed >> 20} MiB free")
    return {"files": [asdict(one) for one in done], "freed": sum(one.freed for one in done)}
