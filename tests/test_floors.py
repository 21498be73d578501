"""The floors of the house where the import linter cannot look: JumpScripts are files that nobody imports."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from product import REPOSITORY

SCRIPTS = sorted((REPOSITORY / "jumpscripts").rglob("*.py"))
ALLOWED = ("sal", "agent.jumpscript")
OURS = ("portalfw", "macros", "actors", "agent", "sal", "jumpscripts", "tests")


def imports(path: Path) -> set[str]:
    """Return the names of all modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_jumpscripts_know_only_the_sal_and_their_face_of_the_agent(path: Path) -> None:
    """A JumpScript imports, of this project, nothing but sal and agent.jumpscript."""
    ours = {name for name in imports(path) if name.split(".")[0] in OURS}
    assert all(_allowed(name) for name in ours), ours


def _allowed(name: str) -> bool:
    return any(name == floor or name.startswith(f"{floor}.") for floor in ALLOWED)
