"""Return what came in."""

descr = "Return what came in"
idempotent = True
timeout = 10


def action(value: object = None) -> object:
    return value
