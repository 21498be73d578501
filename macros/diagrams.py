"""Diagrams."""

from __future__ import annotations

import re
from typing import Any

from portalfw.wiki import Block, MacroContext, macro
from portalfw.wiki.errors import MacroArgumentError

ARROW = re.compile(r"(?P<begin>.+?)\s*->\s*(?P<end>.+?)(?:\s*:\s+(?P<label>.+))?")


@macro
def graph(
    ctx: MacroContext,
    source: str | None = None,
    body: list[Any] | None = None,
    title: str = "Diagram",
    down: bool = False,
) -> Block:
    """Draw a diagram: text of Mermaid, or a list of ``this -> that: why``.

    source: of the diagram, as in a code block ``mermaid``. body: instead, the arrows of a graph, one a line.
    title: for those who cannot see it. down: the arrows of a list point down instead of to the right.
    """
    if (source is None) == (body is None):
        raise MacroArgumentError("give either source: or a list of arrows, this -> that: why")
    text = source if source is not None else _flowchart(body or [], "TD" if down else "LR")
    return ctx.render("diagram.html", source=text, title=title)


def _flowchart(arrows: list[Any], direction: str) -> str:
    names: dict[str, str] = {}
    lines = [f"flowchart {direction}"]
    for arrow in arrows:
        words = ": ".join(map(str, *arrow.items())) if isinstance(arrow, dict) and len(arrow) == 1 else str(arrow)
        found = ARROW.fullmatch(words.strip())
        if not found:
            raise MacroArgumentError(f"an arrow looks like this -> that: why, not {words[:60]!r}")
        begin, end = (_node(names, found[side]) for side in ("begin", "end"))
        label = f"|{_quoted(found['label'])}|" if found["label"] else ""
        lines.append(f"  {begin} -->{label} {end}")
    return "\n".join(lines)


def _node(names: dict[str, str], words: str) -> str:
    """Return a node's short name, with its words where it stands first."""
    if words in names:
        return names[words]
    names[words] = f"n{len(names) + 1}"
    return f"{names[words]}[{_quoted(words)}]"


def _quoted(words: str) -> str:
    """Return words that Mermaid takes as they are: every mark that it could read is written as a number."""
    return '"' + re.sub(r"[^\w\s.,-]", lambda mark: f"#{ord(mark[0])};", words) + '"'
