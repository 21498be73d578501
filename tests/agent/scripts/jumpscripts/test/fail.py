"""Raise."""

descr = "Raise"


def action() -> None:
    raise ValueError("no such colour: mauve")
