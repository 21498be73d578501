"""Who may do what with accounts, cloudspaces, machines and disks: access control lists with inheritance.

A person's letters on a machine are those of its own list, of its cloudspace's and of its account's together; nothing
flows upwards. The letters: A administer, R read, C create, X execute, D delete, U manage users.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from actors.cloud.models import Account, Ace, Cloudspace, Disk, Machine
from actors.cloud.states import GONE
from portalfw.auth.policy import Grant
from portalfw.auth.principal import Principal
from portalfw.errors import InvalidError, NotFoundError
from portalfw.extension import name_lost, right_source
from portalfw.store import Document

READ, WRITE, ADMIN = "R", "RCX", "ARCXDU"
SETS = {frozenset(letters): letters for letters in (READ, WRITE, ADMIN)}
FIELDS = ["acl", "status", "account_id", "cloudspace_id", "machine_id"]
#: In these states more than reading is possible.
OPEN = {
    "account": frozenset({"CONFIRMED"}),
    "cloudspace": frozenset({"VIRTUAL", "DEPLOYING", "DEPLOYED", "DESTROYING", "ERROR"}),
}
#: By which argument an object is found, the nearest first.
ARGUMENTS: tuple[tuple[str, type[Document]], ...] = (
    ("machine_id", Machine),
    ("disk_id", Disk),
    ("cloudspace_id", Cloudspace),
    ("account_id", Account),
)


def checked_right(text: str) -> str:
    """Return the canonical spelling of one of the three rights that can be given.

    :raises InvalidError: for any other combination of letters.
    """
    try:
        return SETS[frozenset(text)]
    except KeyError:
        raise InvalidError(
            f"accesstype {text!r} must be R, RCX or ARCXDU.", detail={"argument": "accesstype"}
        ) from None


def acl_of(name: str, right: str = ADMIN) -> list[Ace]:
    """Return a new list with one user in it."""
    return [Ace(user_group_id=name, right=right)]


def held_by(principal: Principal) -> dict[str, Any]:
    """Return the MongoDB condition on an ``acl`` entry that is the principal's, by name or by group."""
    return {
        "$elemMatch": {
            "$or": [
                {"type": "U", "user_group_id": principal.name},
                {"type": "G", "user_group_id": {"$in": sorted(principal.groups)}},
            ]
        }
    }


@name_lost
def strip(kind: Literal["user", "group"], name: str) -> None:
    """Take a deleted user or group out of every list, so that a later one of the same name begins without rights."""
    entry = {"type": "U" if kind == "user" else "G", "user_group_id": name}
    for owner in (Account, Cloudspace, Machine):
        owner.collection().update_many({"acl": {"$elemMatch": entry}}, {"$pull": {"acl": entry}})


@right_source("account")
def account_rights(principal: Principal, arguments: Mapping[str, Any]) -> Grant:
    """Tell the letters on the account of the object that a call names."""
    chain = _chain(arguments)
    return _grant(principal, {kind: chain[kind] for kind in ("account",) if kind in chain})


@right_source("cloudspace")
def cloudspace_rights(principal: Principal, arguments: Mapping[str, Any]) -> Grant:
    """Tell the letters on the cloudspace of the object that a call names; of a detached disk, on its account."""
    chain = _chain(arguments)
    return _grant(principal, {kind: chain[kind] for kind in ("cloudspace", "account") if kind in chain})


@right_source("machine")
def machine_rights(principal: Principal, arguments: Mapping[str, Any]) -> Grant:
    """Tell the letters on the machine that a call names."""
    return _grant(principal, _chain(arguments))


@right_source("disk")
def disk_rights(principal: Principal, arguments: Mapping[str, Any]) -> Grant:
    """Tell the letters on the disk that a call names: those of the machine that holds it, and of its account."""
    return _grant(principal, _chain(arguments))


def _chain(arguments: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the rows from the named object up to its account, by kind."""
    named = [(argument, kind) for argument, kind in ARGUMENTS if arguments.get(argument) is not None]
    if not named:
        raise NotFoundError("The call names no machine, disk, cloudspace or account.")
    (argument, kind), *others = named
    chain = _climb(kind, _row(kind, arguments[argument]))
    for other, above in others:  # rights on one tenant's machine are none on the cloudspace of another
        found = chain.get(above.collection_name())
        if found is not None and found["id"] != arguments[other]:
            raise NotFoundError(
                f"{kind.kind().capitalize()} {arguments[argument]} is not in {above.kind()} {arguments[other]}."
            )
    return chain


def _climb(kind: type[Document], row: dict[str, Any]) -> dict[str, dict[str, Any]]:
    chain = {kind.collection_name(): row}
    if kind is Disk and row.get("machine_id"):
        chain["machine"] = row = _row(Machine, row["machine_id"])
    if row.get("cloudspace_id"):
        chain["cloudspace"] = row = _row(Cloudspace, row["cloudspace_id"])
    if row.get("account_id"):
        chain["account"] = _row(Account, row["account_id"])
    return chain


def _row(kind: type[Document], identity: int) -> dict[str, Any]:
    rows = kind.rows({"_id": identity}, fields=FIELDS)
    if not rows or (kind is not Disk and rows[0]["status"] in GONE):
        raise NotFoundError(f"{kind.kind().capitalize()} {identity} does not exist.")
    return rows[0]


def _grant(principal: Principal, chain: Mapping[str, Mapping[str, Any]]) -> Grant:
    letters = frozenset(letter for row in chain.values() for letter in _letters(principal, row.get("acl", ())))
    for kind, row in chain.items():
        if kind in OPEN and row["status"] not in OPEN[kind]:
            return Grant(letters & {"R"}, f"and the {kind} is {row['status']}, so it can only be read")
    held = "".join(letter for letter in ADMIN if letter in letters)
    return Grant(letters, f"but only {held} is given" if held else "and nothing is given")


def _letters(principal: Principal, acl: Iterable[Mapping[str, Any]]) -> str:
    return "".join(
        str(ace["right"])
        for ace in acl
        if (ace["type"] == "U" and ace["user_group_id"] == principal.name)
        or (ace["type"] == "G" and ace["user_group_id"] in principal.groups)
    )


def may_read_cloudspace(principal: Principal, cloudspace_id: int) -> bool:
    """Tell whether a principal may see everything of a cloudspace.

    :raises NotFoundError: if it does not exist.
    """
    return "R" in cloudspace_rights(principal, {"cloudspace_id": cloudspace_id}).letters or principal.is_admin


def may_read_account(principal: Principal, account_id: int) -> bool:
    """Tell whether a principal may see an account; False also for one that does not exist."""
    try:
        return "R" in account_rights(principal, {"account_id": account_id}).letters or principal.is_admin
    except NotFoundError:
        return False
