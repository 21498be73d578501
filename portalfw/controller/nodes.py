"""Nodes: how they come in, who they are, whether they are there."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Any, Final

from mongoengine import NotUniqueError
from pymongo import UpdateOne

from agent.protocol import PROTOCOL, Enroll, Enrolled, Hello
from portalfw.auth.credentials import digest
from portalfw.controller.documents import DECOMMISSIONED, ENABLED, PENDING, WORKING, JoinToken, Node
from portalfw.controller.together import Together
from portalfw.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError

TOKEN_LIFE: Final = 3600.0
"""Seconds for which a join token is good, unless told otherwise."""

AWAY_AFTER: Final = 70.0
"""Seconds of silence after which a node counts as away: an agent asks at least every 55 s."""

SEEN_EVERY: Final = 10.0
"""Seconds between notes that a node was seen, so that busy nodes do not write all the time."""

NOTE_EVERY: Final = 0.5
"""Seconds in which what was seen is written together: far less than the grace of an agent whose connection was cut."""

REVOKED: Final = "The node's credential is unknown or revoked; enroll it with a new join token."

ROTATE_AFTER: Final = 30 * 86400.0
"""Seconds after which a credential is replaced."""

ROTATED: Final = 100
"""Agents that are told in one turn to fetch new credentials."""

OLD_IS_GOOD: Final = 3600.0
"""Seconds for which a replaced credential is still taken: jobs that run have it, to fetch files."""

KNOWN: Final = ["name", "gid", "roles", "status", "session", "asks", "boot_id", "connected", "last_seen", "rotate"]

ASKER: Final = ["status", "session", "asks", "roles", "gid"]

Row = dict[str, Any]


class Nodes:
    """The nodes of the installation."""

    def __init__(self) -> None:
        """Begin with nothing known of when which node was seen."""
        self._process = secrets.token_hex(8)
        self._sweep_next = 0.0
        self._noted: dict[int, float] = {}
        self._unwritten: dict[int, float] = {}
        self._back: set[int] = set()  # those of them that counted as away
        self._by_credential: Together[str, Row | None] = Together(_by_credential)
        self._askers: Together[int, Row | None] = Together(_askers)

    def create_token(
        self,
        *,
        roles: Sequence[str] = (),
        gid: int = 1,
        life: float = TOKEN_LIFE,
        accept: bool = True,
        created_by: str = "",
    ) -> str:
        """Make a join token and return it; only its hash is kept.

        Args:
            roles: what a node that enters with it may be used for.
            gid: the grid that it joins.
            life: seconds until it expires.
            accept: whether the node may work at once, or waits as PENDING for an operator.
            created_by: name of the principal who makes it.

        """
        token = f"join_{secrets.token_urlsafe(32)}"
        now = time.time()
        JoinToken.create(
            hash=digest(token),
            roles=list(roles),
            gid=gid,
            accept=accept,
            created=now,
            created_by=created_by,
            expires=now + life,
        )
        return token

    def enroll(self, message: Enroll, address: str) -> Enrolled:
        """Make a node of who brings a good join token; who brings it again with its credential is that node already.

        Raises:
            UnauthenticatedError: the token is unknown, used or expired.
            ForbiddenError: a role is asked for that the token does not grant.

        """
        check_protocol(message.protocol)
        credential = message.credential or _credential()
        entered = _entered(message.token, credential)
        if entered is not None:
            return Enrolled(node_id=entered, credential=credential)
        token = self._use_token(message.token, digest(credential))
        forbidden = sorted(set(message.roles) - set(token["roles"]))
        if forbidden:
            raise ForbiddenError(f"The join token does not grant the role {forbidden[0]}.")
        try:
            node_id = _enter(message, token, digest(credential), address)
        except NotUniqueError as error:  # the same was asked twice at once, or an older node has this credential
            entered = _entered(message.token, credential)
            if entered is None:
                raise ConflictError("Another node has this credential; enroll with one of its own.") from error
            node_id = entered
        return Enrolled(node_id=node_id, credential=credential)

    def authenticate(self, credential: str) -> dict[str, Any]:
        """Return the row of the node that has this credential; raises UnauthenticatedError."""
        if not credential:
            raise UnauthenticatedError("An agent must send its credential: Authorization: Bearer <credential>.")
        row = self.known(credential)
        if row is None or row["status"] == DECOMMISSIONED:
            raise UnauthenticatedError(REVOKED)
        return row

    def asks_here(self, row: dict[str, Any], turn: int) -> None:
        """Note that a node's newest question is in this process: one that another has of it is nobody's any more.

        Raises:
            ConflictError: it is older than one that another process has had.

        """
        if row.get("asks") != self._process:
            same = {"_id": row["id"], "session": row["session"], "asks_turn": {"$not": {"$gt": turn}}}
            changes = {"asks": self._process, "asks_turn": turn}
            if not Node.collection().update_one(same, {"$set": changes}).matched_count:
                raise ConflictError(f"A later question of node {row['id']} has come before this one.")

    def asker(self, node_id: int, session: str) -> Row:
        """Return the status, roles and grid that a node has now whose question waits in this process.

        Raises:
            UnauthenticatedError: its credential was revoked.
            ConflictError: its agent must say hello first, asks another process, or another agent has taken its place.

        """
        row = self._askers(node_id)
        if row is None or row["status"] == DECOMMISSIONED:
            raise UnauthenticatedError(REVOKED)
        if row.get("session") != session:
            raise ConflictError(f"Node {node_id} is served by another agent process; say hello first.")
        if row.get("asks") != self._process:
            raise ConflictError(f"Node {node_id} has asked another process of the controller since.")
        return row

    def asking_here(self, nodes: Sequence[int]) -> dict[int, str]:
        """Return those of some nodes that may work and whose newest question is in this process, with its session."""
        query = {"_id": {"$in": list(nodes)}, "asks": self._process, "status": {"$in": sorted(WORKING)}}
        return {row["id"]: row["session"] for row in Node.rows(query, fields=["session"])}

    def known(self, credential: str) -> dict[str, Any] | None:
        """Return the row of the node that was given this credential, also if it was revoked."""
        hashed = digest(credential)
        return self._by_credential(hashed) or next(iter(_rotated(hashed)), None)

    def hello(self, node_id: int, message: Hello, address: str) -> None:
        """Note what an agent says of itself, and that it is there.

        Raises:
            ConflictError: a later hello of this node has come before this one.

        """
        check_protocol(message.protocol)
        now = time.time()
        changes: dict[str, Any] = {
            "session": message.session,
            "asks": self._process,
            "asks_turn": 0,
            "boot_id": message.boot_id,
            "hello_uptime": message.uptime,
            "version": message.version,
            "address": address,
            "last_seen": now,
            "connected": True,
        }
        changes |= {
            name: value
            for name, value in (("facts", message.facts), ("abilities", message.abilities))
            if value is not None
        }
        later = {"boot_id": message.boot_id, "hello_uptime": {"$gt": message.uptime}}
        if not Node.collection().update_one({"_id": node_id, "$nor": [later]}, {"$set": changes}).matched_count:
            raise ConflictError(f"A later hello of node {node_id} has come before this one.")
        self._noted.pop(node_id, None)  # the next question is noted in any case

    def seen(self, row: dict[str, Any]) -> None:
        """Note that a node has asked for work, but not at every question; :meth:`write_seen` writes most notes."""
        now = time.time()
        if not row.get("connected"):
            self._back.add(row["id"])
        elif now - self._noted.get(row["id"], 0) <= SEEN_EVERY:
            return
        self._unwritten[row["id"]] = self._noted[row["id"]] = now

    def write_seen(self) -> None:
        """Write the notes of what was seen, many at a time."""
        notes, self._unwritten = self._unwritten, {}
        back, self._back = self._back, set()
        if notes:
            there: dict[bool, Row] = {True: {"$set": {"connected": True}}, False: {}}
            updates = [
                UpdateOne({"_id": node}, {"$max": {"last_seen": at}, **there[node in back]})
                for node, at in notes.items()
            ]
            Node.collection().bulk_write(updates, ordered=False)

    def left(self, node_id: int, session: str, since: float) -> None:
        """Note that an agent is away, unless it was seen after ``since`` or another one has taken its place."""
        self.write_seen()
        query = {"_id": node_id, "session": session, "last_seen": {"$lte": since}, "connected": True}
        if Node.collection().update_one(query, {"$set": {"connected": False}}).modified_count:
            self._noted.pop(node_id, None)

    def sweep(self) -> None:
        """Note the nodes that have been silent too long; to be called every second or so by one process."""
        if time.monotonic() < self._sweep_next:  # this reads all nodes
            return
        self._sweep_next = time.monotonic() + AWAY_AFTER / 10
        silent = {"connected": True, "last_seen": {"$lt": time.time() - AWAY_AFTER}}
        Node.collection().update_many(silent, {"$set": {"connected": False}})

    def ask_rotation(self, node_id: int) -> None:
        """Have a node's agent fetch a new credential when it next asks for jobs; raises NotFoundError."""
        # With another session than its own the agent says hello again, and is told then.
        changes = {"rotate": True, "session": ""}
        if Node.take({"_id": node_id, "status": {"$ne": DECOMMISSIONED}}, {"$set": changes}) is None:
            raise NotFoundError(f"Node {node_id} does not exist, or has no credential any more.")

    def rotate_old(self) -> None:
        """Have some of the agents fetch new credentials whose present ones are old; meant for once a minute."""
        old = {"credential_since": {"$lt": time.time() - ROTATE_AFTER}, "connected": True, "rotate": {"$ne": True}}
        for row in Node.rows(old, fields=["_id"], limit=ROTATED):
            self.ask_rotation(row["id"])

    def rotate(self, node_id: int) -> Enrolled:
        """Give a node a new credential; the one it has is good until the new one is used, and for a while then."""
        credential = _credential()
        Node.collection().update_one({"_id": node_id}, {"$set": {"credential_next": digest(credential)}})
        return Enrolled(node_id=node_id, credential=credential)

    def connected(self) -> int:
        """Return how many nodes are there now."""
        return Node.collection().count_documents({"connected": True})

    def _use_token(self, token: str, asker: str) -> dict[str, Any]:
        """Use a token up for who asks with this credential; as long as no node came of it, the same may ask again."""
        now = time.time()
        free = [{"used": None}, {"asker": asker, "node_id": None}]
        query = {"hash": digest(token), "expires": {"$gt": now}, "$or": free}
        row = JoinToken.take(query, {"$set": {"used": now, "asker": asker}})
        if row is None:
            raise UnauthenticatedError("The join token is unknown, used or expired; ask for a new one.")
        return row


def check_protocol(version: int) -> None:
    """Refuse an agent that speaks otherwise; raises InvalidError."""
    if version != PROTOCOL:
        raise InvalidError(f"The agent speaks protocol {version}, the controller {PROTOCOL}; install the same release.")


def _credential() -> str:
    return f"node_{secrets.token_urlsafe(32)}"


def _enter(message: Enroll, token: Row, credential_hash: str, address: str) -> int:
    """Make the node that a token allows."""
    now = time.time()
    status = ENABLED if token["accept"] else PENDING
    node = Node.create(
        gid=token["gid"],
        name=message.name,
        roles=message.roles or token["roles"],
        status=status,
        address=address,
        created=now,
        credential_hash=credential_hash,
        credential_since=now,
        entered_with=token["hash"],
        history=[{"at": now, "status": status, "reason": f"entered from {address}", "by": token["created_by"]}],
    )
    node_id: int = node.id
    JoinToken.collection().update_one({"_id": token["id"]}, {"$set": {"node_id": node_id}})
    return node_id


def _entered(token: str, credential: str) -> int | None:
    """Return the node that has entered with this token and this credential; the token alone says nothing."""
    same = {"credential_hash": digest(credential), "entered_with": digest(token), "status": {"$ne": DECOMMISSIONED}}
    return next((row["id"] for row in Node.rows(same, fields=["_id"], limit=1)), None)


def _by_credential(hashes: Sequence[str]) -> list[Row | None]:
    query = {"credential_hash": {"$in": list(hashes)}}
    rows = {row["credential_hash"]: row for row in Node.rows(query, fields=[*KNOWN, "credential_hash"], sort=None)}
    return [rows.get(hashed) for hashed in hashes]


def _askers(nodes: Sequence[int]) -> list[Row | None]:
    rows = {row["id"]: row for row in Node.rows({"_id": {"$in": list(nodes)}}, fields=ASKER)}
    return [rows.get(node) for node in nodes]


def _rotated(hashed: str) -> list[dict[str, Any]]:
    """Return the node that uses its next credential, which is its only one from now on, or its last one for a while."""
    now = time.time()
    current = next(iter(Node.rows({"credential_next": hashed}, fields=["credential_hash"], limit=1)), None)
    if current is not None:
        old = {"hash": current["credential_hash"], "until": now + OLD_IS_GOOD}
        changes = {"credential_hash": hashed, "credential_since": now, "credential_old": old}
        same = {"_id": current["id"], "credential_next": hashed, "status": {"$ne": DECOMMISSIONED}}
        Node.take(same, {"$set": changes, "$unset": {"credential_next": 1, "rotate": 1}})
        return Node.rows({"credential_hash": hashed}, fields=KNOWN, limit=1)
    return Node.rows({"credential_old.hash": hashed, "credential_old.until": {"$gt": now}}, fields=KNOWN, limit=1)
