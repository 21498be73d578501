"""Orphans: what a node has of this site, and nobody knows or needs any more."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from actors.cloud.models import Cloudspace, Disk, ExternalNetwork, Image, Machine, Stack
from actors.cloud.names import Names
from portalfw.controller.documents import site_prefix
from portalfw.extension import node_judge
from portalfw.store import Document

CATEGORY: Final = "Orphanage"
GRACE: Final = 600.0
"""Seconds after an object's last change in which what it has on a node is its own affair: the reconciler's turn."""

MOST: Final = 200
"""Orphans that are told one by one."""

OWNERS: Final[dict[str, dict[str, type[Document]]]] = {
    "machines": {"m": Machine},
    "volumes": {"d": Disk, "i": Image, "m-seed": Machine},
    "gateways": {"g": Cloudspace},
    "bridges": {"b": Cloudspace, "x": ExternalNetwork},
}
"""Whose a thing is, by the letter in its name (`actors.cloud.names`)."""

Row = dict[str, Any]
Owner = tuple[type[Document], int]


@node_judge("healthcheck/orphans")
def judge_belongings(node_id: int, told: Any) -> Any:
    """Judge what a node says that it has; what is no such list stays as the node told it."""
    here = told[0].get("here") if isinstance(told, list) and told and isinstance(told[0], dict) else None
    if not isinstance(here, dict) or not all(isinstance(here.get(kind), list) for kind in OWNERS):
        return told
    names = Names(site_prefix())
    things = [(kind, str(name)) for kind in OWNERS for name in here[kind] if not str(name).startswith(names.trial)]
    found = [_orphan(kind.removesuffix("s"), name, why) for kind, name, why in orphans(node_id, things, names)]
    counts = ", ".join(f"{kind}: {len(here[kind])}" for kind in OWNERS)
    return found[:MOST] or [_finding("OK", "none", f"Nothing is on this node that nobody knows ({counts})")]


def orphans(node_id: int, things: list[tuple[str, str]], names: Names) -> Iterator[tuple[str, str, str]]:
    """Yield the things, by kind and name, that should not be on a node, and why."""
    owners = {(kind, name): owner_of(kind, name, names.site) for kind, name in things}
    rows = _rows([owner for owner in owners.values() if owner is not None])
    stacks = {row["id"] for row in Stack.rows({"reference_id": node_id}, fields=["_id"])}
    for (kind, name), owner in owners.items():
        why = "nobody knows it" if owner is None else _why(kind, owner[0], rows.get(owner), stacks)
        if why:
            yield kind, name, why


def owner_of(kind: str, name: str, site: str) -> Owner | None:
    """Return the document and id that a thing on a node belongs to by its name, None if it is none of ours."""
    found = re.fullmatch(rf"{re.escape(site)}-([a-z])([0-9]+)(-seed)?", name)
    document = OWNERS[kind].get(f"{found[1]}{found[3] or ''}") if found else None
    return (document, int(found[2])) if found and document else None


def _rows(owners: list[Owner]) -> dict[Owner, Row]:
    fields = ["name", "live", "operation", "stack_id", "update_time", "deletion_time"]
    return {
        (document, row["id"]): row
        for document in {document for document, _ in owners}
        for row in document.rows({"_id": {"$in": [one for kind, one in owners if kind is document]}}, fields=fields)
    }


def _why(kind: str, document: type[Document], row: Mapping[str, Any] | None, stacks: set[int]) -> str:
    """Return why a thing should not be on a node, nothing if it should or somebody is at it."""
    what = document.collection_name().replace("_", " ")
    if row is None:
        return f"there is no {what} of that number"
    changed = max(row.get("update_time") or 0.0, row.get("deletion_time") or 0.0)
    if row.get("operation") or time.time() - changed < GRACE:
        return ""
    if not row.get("live", True):
        return f"its {what} {row['name']} is gone"
    placed = kind in {"machines", "gateways"} and row.get("stack_id")
    return f"its {what} {row['name']} is on another node" if placed and row["stack_id"] not in stacks else ""


def _orphan(kind: str, name: str, why: str) -> Row:
    return _finding("WARNING", f"{kind}-{name}", f"{kind.capitalize()} {name} is on this node, but {why}")


def _finding(state: str, uid: str, message: str) -> Row:
    return {"category": CATEGORY, "uid": uid, "state": state, "message": message}
