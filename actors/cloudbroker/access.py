"""Who stands in the access lists of accounts, cloudspaces and machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

from actors.cloud.access import held_by
from actors.cloud.models import Account, Cloudspace, Machine
from portalfw.auth.users import find_user
from portalfw.rest import Actor, Arg, Columns, Listing, method

#: Of each kind: the documents, a method that needs reading alone, and the argument that names the object.
KINDS = (
    (Account, "cloudapi/accounts/get", "accountId"),
    (Cloudspace, "cloudapi/cloudspaces/get", "cloudspaceId"),
    (Machine, "cloudapi/machines/get", "machineId"),
)


class AccessEntry(TypedDict):
    """One entry of an access list; it holds for what lies in the object too. Either ``user`` or ``group`` is given.

    ``method`` and ``arguments`` are what system/access/explain needs to tell more.
    """

    id: str
    kind: str
    object: str
    user: str | None
    group: str | None
    letters: str
    method: str
    arguments: str


ENTRIES = Columns(
    AccessEntry,
    *("id", "kind", "object", "user", "group", "letters"),
    search=("object", "user", "group"),
    sort="kind",
    limit=50,
    most=500,
)


class Access(Actor, app="cloudbroker"):
    """Access lists of the cloud's objects."""

    @method(right="group:admin", http=("GET", "POST"), readonly=True, live=("account", "cloudspace", "machine", "user"))
    def list_entries(
        self,
        listing: Annotated[Listing, ENTRIES],
        user: Annotated[str | None, Arg("User", help="Only entries for this user, by name or by group.")] = None,
    ) -> list[AccessEntry]:
        """Return the entries of all access lists of what there is, or those that hold for a user."""
        principal = find_user(user).principal() if user else None
        query: dict[str, Any] = {"live": True} | ({"acl": held_by(principal)} if principal else {})
        rows = (row for kind, address, argument in KINDS for row in _entries(kind, address, argument, query))
        if principal is not None:
            rows = (row for row in rows if row["user"] == principal.name or row["group"] in principal.groups)
        return listing.of_rows(rows)


def _entries(kind: Any, address: str, argument: str, query: dict[str, Any]) -> Iterator[AccessEntry]:
    for row in kind.rows(query, fields=["name", "acl"]):
        for ace in row.get("acl", ()):
            who = ace["user_group_id"]
            yield {
                "id": f"{kind.kind()}:{row['id']}:{ace['type']}:{who}",
                "kind": kind.kind(),
                "object": f"{row['name']} ({row['id']})",
                "user": who if ace["type"] == "U" else None,
                "group": who if ace["type"] == "G" else None,
                "letters": ace["right"],
                "method": address,
                "arguments": f'{{"{argument}": {row["id"]}}}',
            }
