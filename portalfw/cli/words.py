"""Names of the wire as the command line and Python spell them."""

from __future__ import annotations

import re


def snake(wire: str) -> str:
    """Return ``max_vdisk_capacity`` for ``maxVDiskCapacity``: a single capital belongs to the word behind it."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", wire)
    return re.sub(r"(?<=[A-Z]{2})(?=[A-Z][a-z])", "_", apart).lower()


def kebab(wire: str) -> str:
    """Return ``max-vdisk-capacity`` for ``maxVDiskCapacity``."""
    return snake(wire).replace("_", "-")
