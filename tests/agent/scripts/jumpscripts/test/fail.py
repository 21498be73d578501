"""Raise."""

descr = "Raise"


def action():
    raise ValueError("no such colour: mauve")
