"""Writing a file so that it is there wholly or not at all, and nobody but its owner may read it."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write(file: Path, data: bytes, *, durable: bool = False) -> None:
    """Put a file in its place, mode 0600; a ``durable`` one is on the disk before it takes the place of the one before.

    Raises:
        OSError: it cannot be written; what was there before is there still.

    """
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as temporary:
            temporary.write(data)
            if durable:
                temporary.flush()
                os.fsync(temporary.fileno())
        os.replace(name, file)  # noqa: PTH105 - the temporary file is known by name only
    except BaseException:
        os.unlink(name)  # noqa: PTH108 - the same
        raise
