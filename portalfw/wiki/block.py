"""What a macro gives back."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Block:
    """A piece of finished HTML, and the topics whose change makes it stale."""

    html: Markup
    topics: frozenset[str] = frozenset()
    late: bool = False  # the macro has not answered yet; the browser asks for it alone
