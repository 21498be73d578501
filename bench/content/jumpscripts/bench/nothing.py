"""A script that does nothing, to measure the way of a job."""

descr = "Do nothing."
category = "bench"
queue = "default"
timeout = 10
idempotent = True
log = False


def action() -> bool:
    """Return at once."""
    return True
