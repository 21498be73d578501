"""Who hears that something of a cloud has changed: who may read it by its own list or that of what it is in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actors.cloud.models import Account, Cloudspace, Machine
from portalfw.audience import Hearing, readers, signed_in
from portalfw.extension import audience
from portalfw.store import Document

Row = Mapping[str, Any]


@audience("account")
def account(row: Row) -> Hearing:
    """Let those on its list hear."""
    return _readers(row)


@audience("cloudspace")
def cloudspace(row: Row) -> Hearing:
    """Let those on the lists of the cloudspace, its account and its machines hear, as they can list it."""
    inside = Machine.rows({"cloudspace_id": row["_id"], "live": True, "acl.0": {"$exists": True}}, fields=["acl"])
    return _readers(row, _above(Account, row, "account_id"), *inside)


@audience("machine")
def machine(row: Row) -> Hearing:
    """Let those on the lists of the machine, its cloudspace and its account hear."""
    return _readers(row, _above(Cloudspace, row, "cloudspace_id"), _above(Account, row, "account_id"))


@audience("disk")
def disk(row: Row) -> Hearing:
    """Let those on the lists of its account and of the machine that holds it hear."""
    holder = _above(Machine, row, "machine_id")
    return _readers(holder, _above(Cloudspace, holder, "cloudspace_id"), _above(Account, row, "account_id"))


@audience("port_forward")
def port_forward(row: Row) -> Hearing:
    """Let those on the lists of its machine, its cloudspace and their account hear."""
    space = _above(Cloudspace, row, "cloudspace_id")
    return _readers(_above(Machine, row, "machine_id"), space, _above(Account, space, "account_id"))


@audience("image")
def image(row: Row) -> Hearing:
    """Let everybody hear of everybody's images, and of others those on their account's list."""
    return _shared(row)


@audience("external_network")
def external_network(row: Row) -> Hearing:
    """Let everybody hear of everybody's networks, and of others those on their account's list."""
    return _shared(row)


@audience("size")
def size(_: Row) -> Hearing:
    """Let everybody hear."""
    return signed_in


@audience("location")
def location(_: Row) -> Hearing:
    """Let everybody hear."""
    return signed_in


def _shared(row: Row) -> Hearing:
    return _readers(_above(Account, row, "account_id")) if row.get("account_id") else signed_in


def _above(kind: type[Document], row: Row, field: str) -> Row:
    """Return the lists of what a document is in; nothing if it is in none."""
    identity = row.get(field)
    found = kind.rows({"_id": identity}, fields=["acl", "cloudspace_id", "account_id"]) if identity else []
    return found[0] if found else {}


def _readers(*rows: Row) -> Hearing:
    entries = [entry for row in rows for entry in row.get("acl", ())]
    names = {kind: [str(one["user_group_id"]) for one in entries if one["type"] == kind] for kind in ("U", "G")}
    return readers(names["U"], names["G"])
