"""A script with a fault."""

descr = "Fail."
category = "faulty"
timeout = 10


def action() -> None:
    """Fail."""
    raise ValueError("the lid does not fit")
