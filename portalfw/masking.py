"""Secrets within data that people are shown: passwords in the arguments of a job, in a URL, in the record of a call."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

MASK: Final = "***"

NAME: Final = re.compile(
    r"(pass(word|wd|phrase|code)?|pwd|secret|token|credentials?|private_?key|api_?key|recovery_?codes?)$", re.IGNORECASE
)
"""What the name of a secret ends with."""

IN_URL: Final = re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)")
DEEPEST: Final = 50


def masked(value: Any, paths: Collection[str] = (), *, path: str = "", depth: int = 0) -> Any:
    """Return plain data with its secrets replaced by ``***``.

    Args:
        value: what JSON can hold.
        paths: names that are secret besides those that say so themselves, each with dots from the top:
            ``machine.seed.userdata``. Elements of a list have the path of the list.
        path: the path of ``value`` itself.
        depth: how deep ``value`` lies; what lies deeper than 50 is masked without a look.

    """
    if depth > DEEPEST:
        return MASK
    if isinstance(value, Mapping):
        return {name: _masked_item(str(name), one, paths, path, depth) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(one, paths, path=path, depth=depth + 1) for one in value]
    return IN_URL.sub(MASK, value) if isinstance(value, str) else value


def _masked_item(name: str, value: Any, paths: Collection[str], path: str, depth: int) -> Any:
    here = f"{path}.{name}" if path else name
    if here in paths or NAME.search(name):
        return value if value is None or value == "" or isinstance(value, bool) else MASK
    return masked(value, paths, path=here, depth=depth + 1)
