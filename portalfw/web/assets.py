"""Where the files of the browser bundle lie: names with content hashes, as the build wrote them into its manifest."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

BUNDLE = Path(__file__).parent / "static" / "bundle"
"""Folder that the build fills. Its files have content hashes in their names, so browsers may keep them for ever."""

URL = "/static/bundle/"


class BundleMissingError(LookupError):
    """The browser bundle was not built, or does not have the file asked for."""


def asset(name: str) -> str:
    """Return the address of a file of the bundle, e.g. ``asset("portal.css")``.

    Raises ``BundleMissingError`` where the bundle has not been built or has no such file.
    """
    manifest = BUNDLE / "manifest.json"
    try:
        names = _names(manifest, manifest.stat().st_mtime_ns)
    except FileNotFoundError:
        raise BundleMissingError(
            f"the browser bundle is not built: run `npm ci && npm run build` in {_source()}"
        ) from None
    if name not in names:
        raise BundleMissingError(f"the browser bundle has no {name!r}, only {', '.join(sorted(names))}")
    return URL + names[name]


def _source() -> Path:
    return Path(__file__).parent / "bundle"


@lru_cache(maxsize=2)
def _names(manifest: Path, _changed: int) -> dict[str, str]:
    """Read the manifest once for each time that it was written."""
    names: dict[str, str] = json.loads(manifest.read_text())
    return names
