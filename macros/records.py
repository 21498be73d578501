"""What happened: the output of a job, the history of an object."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from macros.columns import Column, read_columns
from macros.sources import given
from portalfw.errors import ForbiddenError
from portalfw.wiki import Address, Block, MacroContext, macro
from portalfw.wiki.address import field_of
from portalfw.wiki.errors import MacroError

TEXTS = ("text", "line", "message")
AT = ("at", "time", "epoch", "date", "created")


@macro
def log(
    ctx: MacroContext,
    api: Address | None = None,
    data: str | list[Any] | None = None,
    args: dict[str, Any] | None = None,
    title: str | None = None,
    status: str | None = None,
    empty: str | None = None,
    more: str | None = None,
    source: str | None = None,
    older: str | None = None,
    hint: str | None = None,
    plain: bool = False,
    hide: bool = False,
) -> Block:
    """Output of a job, line by line: the answer of a method, or an entry of the page's ``data:`` or a part of it.

    A line is a text, or has ``text`` (or ``line``, ``message``), ``level``, ``at`` and its number ``n``.
    status: of the job; while it runs the log follows its end.
    more (``Label -> Page``): above the first line, where that is not number 1.
    source (``{script} on {node} -> Job?id={job_id}``): whose line it is, where lines of many lie together; they are
    shown as they come, with their days, not from the end. older: what the page's parameter ``before`` is to be for
    those before them. hint: said below ``empty``.
    plain: lines of a text, without times and levels, shown from its beginning. hide: show nothing without lines.
    """
    running = status in {"QUEUED", "LEASED", "RUNNING"}
    records = _records(ctx, api, data, args)
    lines = [_line(line) for line in records]
    if hide and not lines:
        return ctx.render("nothing.html")
    label, arrow, target = (more or "").partition("->")
    earlier = {"label": label.strip(), "href": ctx.link(target.strip())} if arrow else None
    if source:
        lines = [{**line, **_source(ctx, source, row)} for line, row in zip(lines, records, strict=True)]
    return ctx.render(
        "log.html",
        lines=lines,
        many=bool(source),
        older=ctx.here(before=older) if older else None,
        newest=ctx.here(before=None) if source and ctx.params.get("before") else None,
        hint=hint,
        title=title,
        state=status,
        kind="job",
        running=running,
        empty=empty,
        plain=plain,
        earlier=earlier if lines and lines[0].get("n", 1) > 1 else None,
    )


@macro
def history(
    ctx: MacroContext,
    api: Address | None = None,
    data: str | list[Any] | None = None,
    args: dict[str, Any] | None = None,
    text: str = "text",
    at: str | None = None,
    two: str | None = None,
    status: str | None = None,
    title: str | None = None,
    more: str | None = None,
    empty: str | None = None,
    limit: int = 20,
) -> Block:
    """List of what happened, newest first as the method answers it.

    text: ``field -> Page?id={id}`` or a text with ``{field}``s. at: field of the time. two: field or text of the grey
    second line. status: field of the result (OK, ERROR, RUNNING …).
    """
    column = read_columns({"text": text})[0]
    below = read_columns({"two": two})[0] if two else None
    items = [_item(ctx, row, column, below, at, status) for row in _records(ctx, api, data, args)[:limit]]
    label, arrow, target = (more or "").partition("->")
    link = {"label": label.strip(), "href": ctx.link(target.strip())} if arrow else None
    return ctx.render("feed.html", items=items, title=title, link=link, none=empty)


@macro
def timeline(
    ctx: MacroContext,
    of: str,
    reads: bool = False,
    title: str | None = "History",
    limit: int = 20,
) -> Block:
    """List what was done to an object, newest first: the audited calls that named it. For operators.

    of: the argument that names it and its value, ``machineId:3``. reads: also the calls that changed nothing.
    title: above the list. limit: calls that are shown.
    """
    try:
        rows = ctx.rows("system/audits/listAudits", tag=of, changes=not reads, limit=limit)
    except ForbiddenError:
        return ctx.render("empty.html", title="Only operators may see what was done", icon="lock")
    items = [
        {
            "text": f"{row['title']} by {row['user']}",
            "href": ctx.link("/system/Audit?id={id}", row),
            "at": row["time"],
            "two": row["error"] or None,
            "state": "OK" if row["status"] < 400 else "ERROR",  # noqa: PLR2004 - HTTP statuses from here on are failures
        }
        for row in rows
    ]
    more = {"label": "All audits", "href": ctx.link("/system/Audits")}
    return ctx.render("feed.html", items=items, title=title, link=more, nothing="Nothing was done to it yet")


def _item(
    ctx: MacroContext, row: Any, column: Column, below: Column | None, at: str | None, status: str | None
) -> dict[str, Any]:
    if not isinstance(row, Mapping):
        return {"text": str(row)}
    times = [at] if at else AT
    state = field_of(row, status) if status else None
    return {
        "parts": [column.value(ctx, row)],
        "at": next((row[name] for name in times if row.get(name)), None),
        "two": below.value(ctx, row).raw if below else None,
        "state": str(state) if state else None,
    }


def _line(line: Any) -> dict[str, Any]:
    if not isinstance(line, Mapping):
        return {"text": str(line)}
    text = next((line[name] for name in TEXTS if line.get(name) is not None), "")
    at = next((line[name] for name in AT if line.get(name)), None)
    shown = datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3] if isinstance(at, (int, float)) else at
    said = {"text": str(text), "level": str(line.get("level") or "info"), "at": shown}
    return {**said, "n": line["n"]} if isinstance(line.get("n"), int) else said


def _source(ctx: MacroContext, source: str, row: Any) -> dict[str, Any]:
    """Return whose line it is, and its day, which is said where it changes."""
    shape = read_columns({"": source})[0].value(ctx, row if isinstance(row, Mapping) else {})
    at = row.get("at") if isinstance(row, Mapping) else None
    day = datetime.fromtimestamp(at, UTC).strftime("%-d %B %Y") if isinstance(at, (int, float)) else None
    return {"source": shape.raw, "href": shape.get("href"), "day": day}


def _records(ctx: MacroContext, api: str | None, data: Any, args: dict[str, Any] | None) -> list[Any]:
    if (api is None) == (data is None):
        raise MacroError("give either api: or data:")
    found = ctx.call(api, **(args or {})) if api else given(ctx, data)
    if isinstance(found, str):
        return found.splitlines()
    if isinstance(found, Mapping):
        found = next((found[name] for name in ("rows", "items", "lines", "data") if name in found), None)
    if not isinstance(found, list):
        raise MacroError("the answer is no list")
    return found
