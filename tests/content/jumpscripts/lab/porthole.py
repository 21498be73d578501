"""Say hello as a screen does, show as many bytes as asked, then repeat what is heard."""

from __future__ import annotations

from typing import Any

descr = "Say hello as a screen does, show as many bytes as asked, then repeat what is heard."
category = "lab"
queue = "console"
timeout = 60


def action(tunnel: str, mebibytes: int = 0) -> dict[str, Any]:
    """Return how many bytes were carried each way."""
    import socket
    import threading

    from agent.jumpscript import context

    ours, theirs = socket.socketpair()

    def speak() -> None:
        with theirs:
            theirs.sendall(b"RFB 003.008\n")
            for _ in range(mebibytes):
                theirs.sendall(bytes(1 << 20))
            while heard := theirs.recv(65536):
                theirs.sendall(heard)

    threading.Thread(target=speak, daemon=True).start()
    carried = context.carry(tunnel, ours)
    return {"sent": carried.sent, "received": carried.received, "state": "silent"}
