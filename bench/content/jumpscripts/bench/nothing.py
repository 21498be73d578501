"""A script that does nothing, to measure the way of a job."""

descr = "Do nothing."
category = "bench"
queue = "default"
timeout = 10
idempotent = True
log = False


def action(at: float = 0.0) -> bool:
    """Return at once; ``at`` is when it was asked for."""
    del at
    return True
