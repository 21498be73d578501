"""Writes the tables of docs/compatibility.md from the declared methods and tools/compatibility.yaml.

``python tools/compatibility.py`` writes them, ``--check`` fails when they are stale.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from portalfw.content import Content
from portalfw.rest.declaration import Actor, Method
from portalfw.rest.registry import Registry
from portalfw.settings import REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "compatibility.md"
ORIGINAL = Path(__file__).with_suffix(".yaml")
BEGIN, END = "<!-- {}: written by tools/compatibility.py -->", "<!-- end of {} -->"


def registry() -> Registry:
    """Return the methods that the repository's own actors declare."""
    found = Registry()
    for module in Content([REPOSITORY]).modules("actors"):
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Actor) and value.__module__ == module.__name__:
                found.add(value)
    return found


def existing(methods: Registry) -> Iterator[str]:
    """Yield a table of what there is."""
    yield "| method | arguments | right |"
    yield "|---|---|---|"
    for method in methods:
        yield f"| `{method.address}` | {_arguments(method)} | {method.declaration.right.replace('|', ' or ')} |"


def _arguments(method: Method) -> str:
    return ", ".join(f"{one.wire}{'' if one.required else '?'}" for one in method.arguments) or "–"


def fates(methods: Registry) -> Iterator[str]:
    """Yield a table of the original's methods: here, later or dropped."""
    original = yaml.safe_load(ORIGINAL.read_text())
    dropped: Mapping[str, str] = original["dropped"]
    here = {method.address.lower() for method in methods}
    yield "| actor | here | later | dropped |"
    yield "|---|---|---|---|"
    for actor, names in original["methods"].items():
        columns: dict[str, list[str]] = {"here": [], "later": [], "dropped": []}
        for name in names.split():
            reason = dropped.get(f"{actor}/{name}") or dropped.get(f"{actor}/*")
            columns["here" if f"{actor}/{name}".lower() in here else "dropped" if reason else "later"].append(name)
        yield f"| `{actor}` | {' | '.join(', '.join(column) or '–' for column in columns.values())} |"


def reasons(methods: Registry) -> Iterator[str]:
    """Yield why methods were dropped."""
    here = {method.address.lower() for method in methods}
    for address, reason in yaml.safe_load(ORIGINAL.read_text())["dropped"].items():
        if address.lower() not in here:
            yield f"* `{address}`: {reason}."


def written(text: str) -> str:
    """Return the document with its tables as they are now."""
    methods = registry()
    for name, lines in (("fates", fates(methods)), ("reasons", reasons(methods)), ("methods", existing(methods))):
        begin, end = BEGIN.format(name), END.format(name)
        before, _, rest = text.partition(begin)
        text = "\n".join([before + begin, "", *lines, "", end]) + rest.partition(end)[2]
    return text


def main(*flags: str) -> int:
    """Write the document, or tell whether it is stale."""
    text = DOCUMENT.read_text()
    now = written(text)
    if "--check" in flags:
        if text != now:
            print(f"{DOCUMENT} is stale: run {Path(sys.executable).name} tools/compatibility.py")
        return int(text != now)
    DOCUMENT.write_text(now)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
