"""What docs/compatibility.md says of the methods is what the code declares."""

from __future__ import annotations

import subprocess
import sys

from product import REPOSITORY


def test_the_document_is_not_stale() -> None:
    """The tables of docs/compatibility.md are as ``tools/compatibility.py`` writes them now."""
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "tools" / "compatibility.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
