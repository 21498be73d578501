"""Writes the tables of docs/compatibility.md from the declared methods, tools/compatibility.yaml and tools/macros.yaml.

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
from portalfw.wiki.layout import OPEN
from portalfw.wiki.macro import Macros

DOCUMENT = REPOSITORY / "docs" / "compatibility.md"
ORIGINAL = Path(__file__).with_suffix(".yaml")
MACROS = ORIGINAL.with_name("macros.yaml")
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


def macro_fates(_: Registry) -> Iterator[str]:
    """Yield a table of the original's macros: built, replaced or dropped.

    :raises LookupError: if one is said to be built by a macro that there is not.
    """
    macros = Macros.of_modules(Content([REPOSITORY]).modules("macros"))
    here = {*OPEN, *(one.name for one in macros)}
    yield "| kind | macro | became | how, or why not |"
    yield "|---|---|---|---|"
    for kind, rows in yaml.safe_load(MACROS.read_text()).items():
        for names, fate in rows.items():
            built = fate.get("built")
            if built and built not in here:
                raise LookupError(f"{MACROS.name}: {names} cannot be built as {built!r}, which is no macro")
            became = f"built: `{built}`" if built else "replaced" if "replaced" in fate else "dropped"
            words = fate.get("as") or fate.get("replaced") or fate.get("dropped") or ""
            yield f"| {kind} | {', '.join(f'`{name}`' for name in names.split())} | {became} | {words} |"


def written(text: str) -> str:
    """Return the document with its tables as they are now."""
    methods = registry()
    tables = {"fates": fates, "reasons": reasons, "methods": existing, "macros": macro_fates}
    for name, lines in ((name, table(methods)) for name, table in tables.items()):
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
