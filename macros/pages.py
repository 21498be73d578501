"""Macros about pages: contents, children, inclusion, navigation."""

from __future__ import annotations

from portalfw.wiki import Block, MacroContext, macro
from portalfw.wiki.address import page_key

CHANGES = {"created": "plus-lg", "edited": "pencil", "renamed": "arrow-left-right", "deleted": "trash3"}


@macro
def toc(ctx: MacroContext, depth: int = 3, title: str = "On this page") -> Block:
    """Table of the page's headings. depth: the deepest level that is listed."""
    headings = [heading for heading in ctx.place.headings if heading.level <= depth]
    top = min((heading.level for heading in headings), default=1)
    return ctx.render("toc.html", headings=headings, top=top, title=title)


@macro
def children(ctx: MacroContext, page: str | None = None, title: str | None = None) -> Block:
    """Links to the pages whose ``parent`` is this page (or ``page``)."""
    wanted = page_key(page or ctx.page.name)
    found = sorted(
        (one for one in ctx.wiki.readable(ctx.principal, ctx.page.space) if one.above == wanted),
        key=lambda one: one.order,
    )
    links = [{"label": one.label, "href": ctx.link(one.name), "icon": one.icon} for one in found]
    return ctx.render("links.html", links=links, title=title)


@macro
def include(ctx: MacroContext, page: str, space: str | None = None) -> Block:
    """Text of another page, in place, with the viewer's rights.

    page: its name; ``Page#Heading`` is only what stands under that heading. space: if the page is in another one.
    """
    name, _, heading = page.partition("#")
    found = ctx.wiki.page(ctx.principal, space or ctx.page.space, name)
    html, topics = ctx.wiki.include(found, ctx.place, ctx.key, heading.strip() or None)
    ctx.watch(*topics)
    return Block(html, ctx.topics)


@macro
def nav(ctx: MacroContext, group: str | None = None) -> Block:
    """Show the space's navigation as a list, or one group of it."""
    groups = [one for one in ctx.wiki.navigation(ctx.principal, ctx.page.space) if group is None or one.title == group]
    links = [{"label": item.label, "href": item.href, "icon": item.icon} for one in groups for item in one.items]
    return ctx.render("links.html", links=links, title=group)


@macro
def recent(ctx: MacroContext, space: str | None = None, title: str | None = "Recent changes", limit: int = 10) -> Block:
    """Pages that were changed lately, newest first, as far as the viewer may read them.

    space: only of this one; ``*`` for all, by default the page's own. title: above the list. limit: changes.
    """
    wanted = None if space == "*" else space or ctx.page.space
    rows = ctx.rows("system/pages/recent", space=wanted, limit=limit)
    items = [
        {
            "text": row["page"],
            "href": ctx.link("{address}", row) if row["action"] != "deleted" else None,
            "at": row["date"],
            "two": ", ".join(part for part in (row["action"], row["author"], row["message"]) if part),
            "icon": CHANGES.get(row["action"]),
        }
        for row in rows
    ]
    return ctx.render("feed.html", items=items, title=title, nothing="Nothing was changed yet")


@macro
def backlinks(ctx: MacroContext, page: str | None = None, title: str | None = "Linked from") -> Block:
    """Pages that link to this one, or include it.

    page: by default this one. title: above the list.
    """
    rows = ctx.call("system/pages/backlinks", space=ctx.page.space, page=page or ctx.page.name)
    links = [{"label": row["page"], "href": ctx.link("/{space}/{page}", row)} for row in rows]
    return ctx.render("links.html", links=links, title=title)


@macro
def breadcrumbs(ctx: MacroContext) -> Block:
    """Show the way to this page, as the frame shows it above the sheet."""
    return ctx.render("breadcrumbs.html", way=ctx.wiki.way(ctx.place))
