"""The Agent Controller for operators: which agents there are, which JumpScripts, and running one by hand."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from portalfw.controller.documents import Node, Script
from portalfw.controller.queue import EXPIRES
from portalfw.dal import JobHandle, NodeHandle
from portalfw.errors import InvalidError, NotFoundError
from portalfw.rest import Actor, Arg, Columns, Listing, method

OPERATORS = "group:level1,level2,level3"
ENGINEERS = "group:level2,level3"
LONGEST_WAIT = 3600.0  # seconds
SLACK = 5.0  # seconds beyond a job's own limits until it must have ended
SESSION_FIELDS = ["gid", "name", "roles", "session", "connected", "last_seen", "version", "address", "status"]
AGENTS = Columns(Node, "id", *SESSION_FIELDS, times=("last_seen",), search=("name", "address", "roles"), sort="name")

ScriptName = Annotated[str, Arg("JumpScript", help="category/name", choices="system/agentcontroller/listJumpscripts")]


class Session(TypedDict):
    """One agent; the session is new whenever its process is. Times in epoch seconds."""

    id: int
    gid: int
    name: str
    roles: list[str]
    session: str
    active: bool
    last_seen: float | None
    version: str
    address: str
    status: str


class ScriptRow(TypedDict):
    """One JumpScript as lists show it; ``broken`` says why it cannot be run."""

    id: str
    name: str
    category: str
    descr: str
    organization: str
    roles: list[str]
    queue: str
    timeout: float | None
    broken: str


SCRIPTS = Columns(
    ScriptRow, "name", "category", "descr", "organization", "queue", "broken", search=("name", "descr"), sort="name"
)


class ScriptDetail(ScriptRow):
    """One JumpScript with its arguments and its text."""

    sha256: str
    loaded: float
    idempotent: bool
    arguments: list[dict[str, Any]]  # name, type, required, default
    open_arguments: bool
    source: list[str]  # lines


class JobAnswer(TypedDict):
    """How a job stands; the result is there once it is OK."""

    id: int
    state: str
    reason: str
    node_id: int
    result: Any


class Loaded(TypedDict):
    """How many JumpScripts there are, and which of them cannot be run."""

    scripts: int
    broken: list[str]


class AgentController(Actor, app="system"):
    """Agents and JumpScripts."""

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("node",), title="List sessions")
    def list_sessions(self, listing: Annotated[Listing, AGENTS]) -> list[Session]:
        """Return the agents that have said hello, whether they are there now or not."""
        rows = listing.of(Node, {"session": {"$ne": None}}, fields=SESSION_FIELDS)
        return rows.answered(_session(row) for row in rows)

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("node",), title="List active sessions")
    def list_active_sessions(self, listing: Annotated[Listing, AGENTS]) -> list[Session]:
        """Return the agents that are there now."""
        rows = listing.of(Node, {"connected": True}, fields=SESSION_FIELDS)
        return rows.answered(_session(row) for row in rows)

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("script",), title="List JumpScripts")
    def list_jumpscripts(self, listing: Annotated[Listing, SCRIPTS]) -> list[ScriptRow]:
        """Return the JumpScripts that jobs can be made of."""
        return listing.of_rows([_script(row) for row in Script.rows({"current": True}, sort="name")])

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("script",), title="Get JumpScript")
    def get_jumpscript(self, name: ScriptName) -> ScriptDetail:
        """Return one JumpScript with its arguments and its text."""
        rows = Script.rows({"name": name, "current": True}, limit=1)
        if not rows:
            raise NotFoundError(f"JumpScript {name} does not exist.")
        row = rows[0]
        return {
            **_script(row),
            "sha256": row["sha256"],
            "loaded": row["loaded"],
            "idempotent": bool(row["header"].get("idempotent")),
            "arguments": row["arguments"],
            "open_arguments": bool(row.get("open_arguments")),
            "source": row["source"].splitlines(),
        }

    @method(right=ENGINEERS, title="Execute JumpScript")
    def execute_jumpscript(
        self,
        name: ScriptName,
        organization: Annotated[str, Arg("Organization", help="Only needed where a bare name is not unique.")] = "",
        nid: Annotated[int | None, Arg("Node", choices="system/gridmanager/getNodes")] = None,
        role: Annotated[str, Arg("Role", help="Instead of a node: any one of this role that is connected.")] = "",
        args: Annotated[dict[str, Any] | None, Arg("Arguments", help="As a JSON object, by name.")] = None,
        timeout: Annotated[float | None, Arg("Time limit", help="Seconds; by default what the script says.")] = None,
        wait: Annotated[bool, Arg("Wait", help="Answer once it has ended, instead of at once.")] = True,
    ) -> JobAnswer:
        """Run a JumpScript on a node, or on one of a role, and return how its job stands."""
        if (nid is None) == (not role):
            raise InvalidError("Give either nid or role.", detail={"argument": "nid"})
        if timeout is not None and not 0 < timeout <= LONGEST_WAIT:
            raise InvalidError(f"timeout: up to {LONGEST_WAIT:.0f} seconds.", detail={"argument": "timeout"})
        node: NodeHandle = self.runtime.dal.node(nid) if nid is not None else self.runtime.dal.role(role).node()
        script = _named(name, organization)
        queue, user = self.runtime.controller.queue, self.call.principal.name
        job_id = queue.submit(node.id, script, args or {}, timeout=timeout, submitted_by=user)
        job = self.runtime.dal.job(job_id)
        if wait:
            job.wait(min(LONGEST_WAIT, job.row()["timeout"]) + EXPIRES + SLACK)
        return _answer(job)

    @method(right=ENGINEERS, title="Load JumpScripts")
    def load_jumpscripts(self) -> Loaded:
        """Read the JumpScripts of the content directories again, so that new jobs run what they say now."""
        broken = self.runtime.controller.scripts.load()
        return {"scripts": Script.collection().count_documents({"current": True}), "broken": broken}


def _named(name: str, organization: str) -> str:
    """Return the full name of a script that may be given as older clients do, without its category."""
    if "/" in name:
        return name
    query = {"current": True, "header.name": name} | ({"header.organization": organization} if organization else {})
    found = [row["name"] for row in Script.rows(query, fields=["name"], sort="name", limit=2)]
    if not found:
        raise NotFoundError(f"JumpScript {name} does not exist.")
    if len(found) > 1:
        raise InvalidError(f"{name} may be {' or '.join(found)}; give one of these.", detail={"argument": "name"})
    return str(found[0])


def _answer(job: JobHandle) -> JobAnswer:
    row = job.row()
    return {
        "id": row["id"],
        "state": row["status"],
        "reason": row["reason"],
        "node_id": row["node_id"],
        "result": row.get("result"),
    }


def _session(row: dict[str, Any]) -> Session:
    return {
        "id": row["id"],
        "gid": row.get("gid") or 1,
        "name": row["name"],
        "roles": row.get("roles") or [],
        "session": row.get("session") or "",
        "active": bool(row.get("connected")),
        "last_seen": row.get("last_seen"),
        "version": row.get("version") or "",
        "address": row.get("address") or "",
        "status": row["status"],
    }


def _script(row: dict[str, Any]) -> ScriptRow:
    header = row["header"]
    return {
        "id": row["name"],
        "name": row["name"],
        "category": row["name"].partition("/")[0],
        "descr": header.get("descr") or "",
        "organization": header.get("organization") or "",
        "roles": header.get("roles") or [],
        "queue": header.get("queue") or "",
        "timeout": header.get("timeout"),
        "broken": row.get("broken") or "",
    }
