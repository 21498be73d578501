"""Bounds on what a job may send; apart from the messages, so that a worker needs no pydantic."""

from __future__ import annotations

from typing import Final

MAX_RESULT: Final = 4 * 1024 * 1024
"""Largest result in bytes of JSON: MongoDB holds 16 MiB in one document, and a job has arguments and a history too."""

MAX_LINE: Final = 8 * 1024
"""Longest line of output in characters; what is longer is cut."""

MAX_LINES: Final = 20_000
"""Most lines that one attempt may send."""

MAX_OUTPUT: Final = 4 * 1024 * 1024
"""Most characters that one attempt may send."""
