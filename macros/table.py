"""Tables and facts: lists and objects of the API, as a page's author describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from macros.bulk import bulk_buttons, bulk_values
from macros.columns import Column, read_columns
from macros.sources import given
from macros.wish import Wish
from portalfw.rest import Page
from portalfw.wiki import Address, Block, MacroContext, macro
from portalfw.wiki.address import field_of
from portalfw.wiki.errors import MacroError
from portalfw.wiki.formats import known as is_known

PAGED = {"limit", "offset"}


@macro
def table(
    ctx: MacroContext,
    api: Address | None = None,
    data: str | list[dict[str, Any]] | None = None,
    columns: dict[str, Any] | list[Any] | None = None,
    args: dict[str, Any] | None = None,
    actions: list[dict[str, Any]] | None = None,
    bulk: list[dict[str, Any]] | None = None,
    title: str | None = None,
    more: str | None = None,
    name: str = "rows",
    key: str = "id",
    id: str | None = None,  # noqa: A002 - the DOM id, as authors call it
    empty: str | None = None,
    hint: str | None = None,
    icon: str | None = None,
    limit: int = 50,
    wide: bool = False,
    filter: bool | None = None,  # noqa: A002 - authors call it so
    hide: bool = False,
) -> Block:
    """Table of a list method's rows, or of an entry of the page's ``data:``.

    api: address of the list method; args: its arguments by wire name.
    data: instead of api, the name of an entry of ``data:``, of a part of it (``job.attempts``), or a list.
    columns: lines of ``Label: field | format -> Page?id={id}``; without them every field of the first row.
    actions: buttons in each row, as in the macro ``actions``, with ``{field}`` for the row's values.
    bulk: buttons for all rows that one picks, with ``{field}``s too; one dialog asks for all, calls go one by one.
    title, more (``Label -> Page``): above the table. name: what the rows are ("machines").
    id: DOM id of the table. empty, hint, icon: what is said without rows. limit: rows a page, if the method can page.
    A method that pages, sorts, searches and filters does so for the viewer; of others, and of data, all rows are shown
    and filtered in the browser. hide: show nothing without rows.
    """
    rows, wish, pager = _rows(ctx, api, data, args or {}, limit)
    if hide and not rows and not (wish and wish.narrowed):
        return ctx.render("nothing.html")
    described = read_columns(columns if columns is not None else _every_field(rows))
    return ctx.render(
        "list.html",
        live=wish.shown(described, rows) if wish and isinstance(rows, Page) else None,
        columns=[column.head() for column in described],
        rows=[_row(ctx, row, described, key, actions or [], bulk or []) for row in rows],
        bulk=bulk_buttons(ctx, bulk or []),
        title=title,
        link=_link(ctx, more),
        name=name,
        dom_id=id,
        empty={"title": empty, "text": hint, "icon": icon},
        wide=wide,
        filter=filter,
        pager=pager,
    )


@macro
def fields(
    ctx: MacroContext,
    data: str | dict[str, Any] | None = None,
    api: Address | None = None,
    fields: dict[str, Any] | list[Any] | None = None,
    args: dict[str, Any] | None = None,
    body: dict[str, Any] | None = None,
    one: bool = False,
    known: bool = False,
    hide: bool = False,
    title: str | None = None,
    more: str | None = None,
) -> Block:
    """Facts of one object: an entry of the page's ``data:`` or a part of it, or the answer of a method.

    fields (or the body): lines of ``Label: field | format -> Page?id={id}``. one: label left and value right.
    known: leave out what is not known. hide: show nothing without any; what is no object is one fact, the answer.
    """
    row = _object(ctx, api, data, args or {}, loose=hide)
    if hide and not row:
        return ctx.render("nothing.html")
    described = read_columns(fields or body or {name.capitalize(): name for name in row})
    shown = [column for column in described if not known or is_known(field_of(row, column.what))]
    facts = [{"label": column.label, "value": column.value(ctx, row)} for column in shown]
    return ctx.render("facts.html", facts=facts, one=one, title=title, link=_link(ctx, more))


object_ = fields.also("object")


def _row(
    ctx: MacroContext,
    row: Mapping[str, Any],
    columns: list[Column],
    key: str,
    actions: list[dict[str, Any]],
    bulk: list[dict[str, Any]],
) -> dict[str, Any]:
    from macros.buttons import button

    shown = {
        "cells": [column.value(ctx, row) for column in columns],
        "key": row.get(key),
        "actions": [button(ctx, one, row) for one in actions],
    }
    if bulk and row.get(key) is not None:
        values = [bulk_values(one, row) for one in bulk]
        shown |= {"bulk": orjson.dumps(values, default=str).decode(), "label": str(row.get("name") or row[key])}
    return shown


def _rows(
    ctx: MacroContext, api: str | None, data: Any, args: Mapping[str, Any], limit: int
) -> tuple[list[dict[str, Any]], Wish | None, dict[str, Any] | None]:
    if (api is None) == (data is None):
        raise MacroError("give either api: or data:")
    if api is None:
        return _listed(given(ctx, data)), None, None
    method = ctx.describe(api)
    if method.gathered is not None:
        wish = Wish(ctx, method, args, limit)
        return wish.rows(api), wish, None
    if not {argument.wire for argument in method.arguments} >= PAGED:
        return _listed(ctx.call(api, **args)), None, None
    number = _page_number(ctx)
    rows = _listed(ctx.call(api, **{"limit": limit + 1, "offset": (number - 1) * limit, **args}))
    return rows[:limit], None, _pager(ctx, number, limit, rows)


def _page_number(ctx: MacroContext) -> int:
    given = ctx.params.get(_page_name(ctx), "1")
    return max(1, int(given)) if given.isdecimal() and len(given) < 9 else 1  # noqa: PLR2004 - digits of a page number


def _page_name(ctx: MacroContext) -> str:
    return f"page-{ctx.key}"


def _pager(ctx: MacroContext, number: int, limit: int, rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    following = len(rows) > limit
    if number == 1 and not following:
        return None
    first = (number - 1) * limit
    return {
        "range": f"{first + 1:,} to {first + min(len(rows), limit):,}" if rows else "nothing on this page",
        "previous": ctx.here(**{_page_name(ctx): number - 1}) if number > 1 else None,
        "next": ctx.here(**{_page_name(ctx): number + 1}) if following else None,
    }


def _listed(answer: Any) -> list[dict[str, Any]]:
    if isinstance(answer, Mapping):
        answer = next((answer[name] for name in ("rows", "items", "data", "result") if name in answer), None)
    if not isinstance(answer, list):
        raise MacroError("the answer is no list; for one object use the macro fields")
    return [row if isinstance(row, dict) else {"value": row} for row in answer]


def _object(ctx: MacroContext, api: str | None, data: Any, args: Mapping[str, Any], *, loose: bool) -> dict[str, Any]:
    if (api is None) == (data is None):
        raise MacroError("give either api: or data:")
    found = ctx.call(api, **args) if api else given(ctx, data)
    if loose and not isinstance(found, dict):
        return {"answer": found} if is_known(found) else {}
    if not isinstance(found, dict):
        raise MacroError("the answer is no object; for a list use the macro table")
    return found


def _every_field(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {name.capitalize(): name for name in (rows[0] if rows else {})}


def _link(ctx: MacroContext, more: str | None) -> dict[str, str] | None:
    label, arrow, target = (more or "").partition("->")
    return {"label": label.strip(), "href": ctx.link(target.strip())} if arrow else None
