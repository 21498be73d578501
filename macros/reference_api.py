"""Methods of the API in pages."""

from __future__ import annotations

from macros.table import table
from portalfw.wiki import Block, MacroContext, macro


@macro
def swagger(ctx: MacroContext, app: str = "", title: str | None = None, limit: int = 50) -> Block:
    """Table of the API's methods; each leads to its page, where it is described and can be tried.

    app: only of this one. title: above the table. limit: rows a page.
    """
    return table.function(
        ctx,
        api="system/docgenerator/listMethods",
        args={"group": app},
        columns={
            "Method": {"field": "address -> /system/API Method?address={address}", "two": "summary", "long": True},
            "Effect and right": {"field": "effect", "two": "right"},
            "Arguments": {"field": "arguments", "long": True},
        },
        title=title,
        more="OpenAPI -> /openapi.json",
        name="methods",
        key="address",
        limit=limit,
    )
