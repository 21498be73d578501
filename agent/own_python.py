"""Processes of the agent's own code: a module of this package in a Python process of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
"""Where the packages ``agent`` and ``sal`` lie."""


def command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module; what lies in the working directory is not imported by it."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment() -> dict[str, str]:
    """Return its environment: ours, with our packages; it writes nothing beside them."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
