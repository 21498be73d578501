"""Single figures: a state, a count, a box of several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from macros.sources import follow
from portalfw.wiki import Address, Block, MacroContext, macro
from portalfw.wiki.errors import MacroArgumentError
from portalfw.wiki.formats import shaped

STAT = frozenset({"label", "value", "unit", "percent", "text", "href", "of", "format"})


@macro
def state(ctx: MacroContext, value: str | None = None, job: bool = False) -> Block:
    """Show a state as icon and word.

    value: the state. job: a job that runs is at work, where a machine that runs is well.
    """
    return ctx.render("one_value.html", value=shaped(value, "job" if job else "state"))


status = state.also("status")


@macro
def count(ctx: MacroContext, api: Address, args: dict[str, Any] | None = None) -> Block:
    """Count the rows that a list method answers, or show the number that a method answers."""
    answer = ctx.call(api, **(args or {}))
    if isinstance(answer, Mapping):
        answer = answer.get("total", answer.get("count", answer))
    return ctx.render("one_value.html", value=answer if isinstance(answer, int) else len(answer))


@macro
def stats(ctx: MacroContext, body: list[dict[str, Any]], title: str | None = None, follows: str | None = None) -> Block:
    """Show a box of three or four figures, a YAML list of ``label`` and ``value``.

    unit: behind the value. of: the whole, which makes a meter. percent: the meter itself. format: as in columns.
    text: one sentence that says what it means. href: page that it leads to.
    follows: entries of ``data:``, with commas, from which the values come; it is drawn anew when they change.
    """
    follow(ctx, follows)
    return ctx.render("stats.html", stats=[_stat(ctx, one) for one in body], title=title)


def _stat(ctx: MacroContext, given: Mapping[str, Any]) -> dict[str, Any]:
    unknown = next((name for name in given if name not in STAT), None)
    if unknown or "label" not in given:
        raise MacroArgumentError(
            f"a figure has {', '.join(sorted(STAT))}; it needs a label, and has no {unknown or 'label'!r}"
        )
    value, whole = given.get("value"), given.get("of")
    shown = shaped(value, str(given["format"])).raw if "format" in given else value
    percent = given.get("percent")
    if percent is None and isinstance(value, (int, float)) and isinstance(whole, (int, float)) and whole > 0:
        percent = 100 * value / whole
    href = ctx.link(str(given["href"])) if given.get("href") else None
    return {**given, "value": shown, "percent": percent, "href": href}
