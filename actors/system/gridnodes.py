"""The life of nodes for operators: letting them in, putting them to work and out of it, their credentials."""

from __future__ import annotations

import time
from typing import Annotated, Any, TypedDict

from actors.cloud.models import NOT_GONE, Machine, Stack
from portalfw.controller import node_life
from portalfw.controller.documents import ACCEPTED, DECOMMISSIONED, DISABLED, ENABLED, MAINTENANCE, JoinToken
from portalfw.controller.nodes import TOKEN_LIFE
from portalfw.errors import ConflictError, InvalidError, NotFoundError
from portalfw.rest import Actor, Arg, Columns, Listing, method

ENGINEERS = "group:level2,level3"
CHIEFS = "group:level3"
LONGEST_LIFE = 30 * 86400.0  # seconds
TOKEN_FIELDS = ["roles", "gid", "accept", "created", "created_by", "expires", "used", "node_id"]
TOKENS = Columns(
    JoinToken,
    "id",
    *TOKEN_FIELDS,
    times=("created", "expires", "used"),
    search=("roles", "createdBy", "id"),
    sort="-id",
    limit=50,
    most=500,
)

NodeId = Annotated[int, Arg("Node", choices="system/gridmanager/getNodes")]
Reason = Annotated[str, Arg("Reason", help="Kept with the node.")]


class JoinTokenRow(TypedDict):
    """The right of one machine to become a node; what it says was told once, to who made it. Times in epoch seconds."""

    id: int
    roles: list[str]
    gid: int
    accept: bool  # the node works at once; else it waits for somebody to enable it
    state: str  # GOOD, USED or EXPIRED
    created: float
    created_by: str
    expires: float
    used: float | None
    node_id: int | None  # who entered with it


class GridNodes(Actor, app="system", name="gridmanager"):
    """Nodes and jobs of the grid."""

    @method(right=ENGINEERS, title="Accept node")
    def accept_node(self, node_id: NodeId, reason: Reason = "") -> bool:
        """Let a node that waits stay; it is given jobs once it is enabled."""
        return self._move(node_id, ACCEPTED, reason)

    @method(right=ENGINEERS, title="Enable node")
    def enable_node(self, node_id: NodeId, reason: Reason = "") -> bool:
        """Put a node to work: a new one, one that was disabled, or one whose maintenance is over."""
        return self._move(node_id, ENABLED, reason)

    @method(right=ENGINEERS, destructive=True, title="Disable node")
    def disable_node(self, node_id: NodeId, reason: Reason) -> bool:
        """Give a node no more jobs until it is enabled again; what runs there goes on."""
        return self._move(node_id, DISABLED, reason)

    @method(right=ENGINEERS, title="Start maintenance")
    def maintain_node(self, node_id: NodeId, reason: Reason) -> bool:
        """Put a node into maintenance: it takes jobs by name, but no new machines, and schedules leave it out."""
        return self._move(node_id, MAINTENANCE, reason)

    @method(right=CHIEFS, destructive=True, title="Decommission node")
    def decommission_node(
        self,
        node_id: NodeId,
        reason: Reason,
        *,
        force: Annotated[
            bool, Arg("Even with machines", help="Machines that are on it are out of reach then.")
        ] = False,
    ) -> bool:
        """Take a node out for good: its credential is worth nothing from now on, and its open jobs end."""
        machines = _machines_on(node_id)
        if machines and not force:
            raise ConflictError(
                f"Node {node_id} carries {machines} machines; move or delete them first, or use force.",
                detail={"machines": machines},
            )
        return self._move(node_id, DECOMMISSIONED, reason)

    @method(right=CHIEFS, title="Renew credential")
    def rotate_credential(self, node_id: NodeId) -> bool:
        """Have a node's agent fetch a new credential, at once if it is there; the old one ends in an hour."""
        self.runtime.controller.nodes.ask_rotation(node_id)
        return True

    @method(right=CHIEFS, secret=True, title="Create join token")
    def create_join_token(
        self,
        roles: Annotated[list[str] | None, Arg("Roles", help="What the node may be used for; all if empty.")] = None,
        gid: Annotated[int, Arg("Grid", choices="system/gridmanager/getGrids")] = 1,
        life: Annotated[float, Arg("Life", help="Seconds until it expires.")] = TOKEN_LIFE,
        *,
        accept: Annotated[bool, Arg("Work at once", help="Else the node waits until somebody accepts it.")] = True,
    ) -> str:
        """Return a token with which one machine may become a node, once; it cannot be shown again.

        The pin of a private authority stands behind its dot, so that the agent knows whom to trust.
        """
        if not 0 < life <= LONGEST_LIFE:
            raise InvalidError(f"life: up to {LONGEST_LIFE:.0f} seconds.", detail={"argument": "life"})
        token = self.runtime.controller.nodes.create_token(
            roles=roles or self.runtime.controller.local_roles,
            gid=gid,
            life=life,
            accept=accept,
            created_by=self.call.principal.name,
        )
        return self.runtime.controller.authority.with_pin(token)

    @method(right=ENGINEERS, http=("GET", "POST"), readonly=True, live=("join_token",), title="List join tokens")
    def list_join_tokens(self, listing: Annotated[Listing, TOKENS]) -> list[JoinTokenRow]:
        """Return the join tokens, the newest first: which are good, and who came in with which."""
        rows = listing.of(JoinToken, fields=TOKEN_FIELDS)
        return rows.answered(_token(row) for row in rows)

    @method(right=CHIEFS, destructive=True, title="Delete join token")
    def delete_join_token(self, token_id: Annotated[int, Arg("Join token")]) -> bool:
        """Take a join token back; a node that has entered with it stays."""
        if not JoinToken.collection().delete_one({"_id": token_id}).deleted_count:
            raise NotFoundError(f"Join token {token_id} does not exist.")
        return True

    def _move(self, node_id: int, to: str, reason: str) -> bool:
        node_life.move(node_id, to, reason=reason, by=self.call.principal.name)
        return True


def _machines_on(node_id: int) -> int:
    stacks = [row["id"] for row in Stack.rows({"reference_id": node_id}, fields=["_id"])]
    return Machine.collection().count_documents({"stack_id": {"$in": stacks}, **NOT_GONE})


def _token(row: dict[str, Any]) -> JoinTokenRow:
    state = "USED" if row.get("used") else "GOOD" if row["expires"] > time.time() else "EXPIRED"
    return {
        "id": row["id"],
        "roles": row.get("roles") or [],
        "gid": row.get("gid") or 1,
        "accept": bool(row.get("accept")),
        "state": state,
        "created": row["created"],
        "created_by": row.get("created_by") or "",
        "expires": row["expires"],
        "used": row.get("used"),
        "node_id": row.get("node_id"),
    }
