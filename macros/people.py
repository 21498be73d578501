"""Users, groups and what they may do."""

from __future__ import annotations

from typing import Any

from macros.columns import read_columns
from macros.table import fields, table
from portalfw.errors import ForbiddenError
from portalfw.wiki import Block, MacroContext, macro

USERS = {"Name": "name -> /system/User?name={name}", "E-mail": "emails", "Groups": "groups", "Active": "active"}
GROUPS = {"Name": "name -> /system/Group?name={name}", "Description": "description", "Users": "users | number"}
EXPLAINED = {"User": "user", "Allowed": "allowed", "Credential": "scope"}


@macro
def users(ctx: MacroContext, group: str | None = None, title: str | None = None, limit: int = 20) -> Block:
    """Table of users, with links to them, for operators.

    group: only those in it. title: above the table. limit: rows a page.
    """
    args = {"filter": {"groups": group}} if group else {}
    return for_operators(
        ctx,
        api="system/usermanager/listUsers",
        args=args,
        columns={
            "Name": "name -> /system/User?name={name}",
            "E-mail": "emails",
            "Groups": "groups",
            "Active": "active",
        },
        title=title,
        name="users",
        key="name",
        limit=limit,
    )


@macro
def groups(ctx: MacroContext, title: str | None = None, limit: int = 20) -> Block:
    """Table of groups, with the number of their users and links to them, for operators.

    title: above the table. limit: rows a page.
    """
    return for_operators(
        ctx,
        api="system/usermanager/listGroups",
        columns=GROUPS,
        title=title,
        name="groups",
        key="name",
        limit=limit,
    )


@macro
def explain(
    ctx: MacroContext,
    method: str | None = None,
    user: str | None = None,
    arguments: dict[str, Any] | None = None,
    page: str | None = None,
) -> Block:
    """Say why a user may or may not call a method, right by right; or see, edit and administer a page.

    method: its address. user: by default the viewer; only operators may ask about others.
    arguments: those that name objects, by wire name. page: its name or address, without method; by default this one.
    """
    target = None if method else ctx.link(page or ctx.page.name).partition("?")[0]
    found = ctx.call("system/access/explain", method=method, page=target, user=user, arguments=arguments)
    kind = "method" if method else "page"
    facts = fields.function(ctx, data=found, fields=EXPLAINED | {kind.capitalize(): f"{kind} | mono"}, one=True)
    columns = read_columns({"Right": "right | mono", "Given": "allowed", "Why": "reason"})
    rows = [{"cells": [column.value(ctx, row) for column in columns]} for row in found["alternatives"]]
    return ctx.render(
        "explain.html",
        facts=facts.html,
        columns=[column.head() for column in columns],
        rows=rows,
        name="rights",
        filter=False,
        link={"label": "All about it", "href": ctx.link(f"/system/Explain?{kind}={{{kind}}}&user={{user}}", found)},
    )


def for_operators(ctx: MacroContext, **given: Any) -> Block:
    """Return a table, or a calm word for those who may not see it."""
    try:
        return table.function(ctx, **given)
    except ForbiddenError:
        return ctx.render("empty.html", title="Only operators may see this", icon="lock")
