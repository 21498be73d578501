"""The one place where Python's snake_case becomes the wire's camelCase."""

from __future__ import annotations


def wire_name(python_name: str) -> str:
    """Return the camelCase form: ``cloudspace_id`` becomes ``cloudspaceId``."""
    head, *tail = python_name.rstrip("_").split("_")
    return head + "".join(part.capitalize() for part in tail)
