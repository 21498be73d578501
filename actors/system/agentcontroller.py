"""The Agent Controller for operators: which agents there are, which JumpScripts, and running one by hand."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from portalfw.controller.arguments import schema_of
from portalfw.controller.documents import Job, Node, Script
from portalfw.controller.submission import EXPIRES, Terms
from portalfw.controller.targets import Target
from portalfw.errors import InvalidError, NotFoundError
from portalfw.rest import Actor, Arg, Columns, Listing, method

OPERATORS = "group:level1,level2,level3"
ENGINEERS = "group:level2,level3"
LONGEST_WAIT = 3600.0  # seconds
LONGEST_EXPIRY = 7 * 86400.0  # seconds
HIGHEST = 1000  # priority
ANYTHING = "*"  # the role that every node has
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


class VersionRow(TypedDict):
    """One text that a JumpScript has had."""

    sha256: str
    loaded: float
    current: bool  # the one that new jobs run
    broken: str


class ScriptDetail(ScriptRow):
    """One JumpScript with its arguments and its text."""

    sha256: str
    loaded: float
    current: bool
    header: dict[str, Any]
    versions: list[VersionRow]  # the newest first
    idempotent: bool
    arguments: list[dict[str, Any]]  # name, type, required, default
    arguments_schema: dict[str, Any]  # JSON Schema of what a job's arguments must be
    open_arguments: bool
    source: list[str]  # lines


class JobAnswer(TypedDict):
    """How a job stands; the result is there once it is OK."""

    id: int
    state: str
    reason: str
    node_id: int | None  # none of a fan-out, and of a job for any node while none is there
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
    def get_jumpscript(
        self,
        name: ScriptName,
        sha256: Annotated[str | None, Arg("SHA-256", help="Of an older text; the current one if empty.")] = None,
    ) -> ScriptDetail:
        """Return one JumpScript with its arguments and its text."""
        versions = Script.rows({"name": name}, fields=["sha256", "loaded", "current", "broken"], sort="-loaded")
        wanted = [one["id"] for one in versions if (one["current"] if sha256 is None else one["sha256"] == sha256)]
        if not wanted:
            raise NotFoundError(f"JumpScript {name} does not exist{' with this text' if sha256 else ''}.")
        (row,) = Script.rows({"_id": wanted[0]}, limit=1)
        return {
            **_script(row),
            "sha256": row["sha256"],
            "loaded": row["loaded"],
            "current": bool(row["current"]),
            "header": row["header"],
            "versions": [_version(one) for one in versions],
            "idempotent": bool(row["header"].get("idempotent")),
            "arguments": row["arguments"],
            "arguments_schema": schema_of(row["arguments"], open_arguments=bool(row.get("open_arguments"))),
            "open_arguments": bool(row.get("open_arguments")),
            "source": row["source"].splitlines(),
        }

    @method(right=ENGINEERS, title="Execute JumpScript")
    def execute_jumpscript(
        self,
        name: ScriptName,
        organization: Annotated[str, Arg("Organization", help="Only needed where a bare name is not unique.")] = "",
        nid: Annotated[int | None, Arg("Node", choices="system/gridmanager/getNodes")] = None,
        role: Annotated[
            str,
            Arg(
                "Role",
                help="Instead of a node: any one that has it; * is every node.",
                choices="system/gridmanager/getRoles",
            ),
        ] = "",
        args: Annotated[dict[str, Any] | None, Arg("Arguments", help="As a JSON object, by name.")] = None,
        timeout: Annotated[float | None, Arg("Time limit", help="Seconds; by default what the script says.")] = None,
        wait: Annotated[bool, Arg("Wait", help="Answer once it has ended, instead of at once.")] = True,
        *,
        roles: Annotated[list[str] | None, Arg("Roles", help="Further roles that a node must have.")] = None,
        gid: Annotated[int | None, Arg("Grid", help="Only nodes of this grid.")] = None,
        all: Annotated[bool, Arg("On all", help="On all these nodes at once, not on any one.")] = False,  # noqa: A002
        batch: Annotated[int, Arg("At a time", help="Nodes that have their turn together; 0 is all.")] = 0,
        stop_on_failure: Annotated[bool, Arg("Stop on failure", help="Begin no more once one has failed.")] = False,
        priority: Annotated[int, Arg("Priority", help="Higher goes first; 0 is usual.")] = 0,
        expires: Annotated[float, Arg("Expires", help="Seconds that it may wait for its node.")] = EXPIRES,
    ) -> JobAnswer:
        """Run a JumpScript on a node, on any one of a role or a grid, or on all of them; tell how its job stands."""
        wanted = tuple(dict.fromkeys([*([role] if role else []), *(roles or ())]))
        if (nid is None) == (not wanted and gid is None):
            raise InvalidError("Give either nid or role.", detail={"argument": "nid"})
        check_limits(timeout=timeout, expires=expires, priority=priority)
        terms = Terms(timeout, expires, priority, self.call.principal.name)
        script = self.runtime.controller.scripts.current(_named(name, organization))
        self.call.keep_off_record("args", script["header"].get("secrets") or ())
        orders, given = self.runtime.controller.orders, args or {}
        target = Target(tuple(one for one in wanted if one != ANYTHING), gid)
        if nid is not None:
            job_id = orders.on_node(script, nid, given, terms)
        elif all:
            job_id = orders.on_all(script, target, given, terms, batch=batch, stop_on_failure=stop_on_failure)
        else:
            job_id = orders.on_any(script, target, given, terms)
        return self._answer(job_id, wait=wait)

    @method(right="group:level3", title="Execute script text")
    def execute_script(
        self,
        source: Annotated[str, Arg("Text", help="A whole JumpScript: header and action().", multiline=True)],
        nid: Annotated[int, Arg("Node", choices="system/gridmanager/getNodes")],
        name: Annotated[str, Arg("Name", help="What its job is called.")] = "script",
        args: Annotated[dict[str, Any] | None, Arg("Arguments", help="As a JSON object, by name.")] = None,
        timeout: Annotated[float | None, Arg("Time limit", help="Seconds; by default what the script says.")] = None,
        *,
        wait: Annotated[bool, Arg("Wait", help="Answer once it has ended, instead of at once.")] = True,
    ) -> JobAnswer:
        """Run a text as a JumpScript on a node, to try it: anything may stand in it, and it runs as the agent."""
        check_limits(timeout=timeout)
        script = self.runtime.controller.scripts.add_text(name, source)
        self.call.keep_off_record("args", script["header"]["secrets"])
        terms = Terms(timeout, submitted_by=self.call.principal.name)
        return self._answer(self.runtime.controller.orders.on_node(script, nid, args or {}, terms), wait=wait)

    @method(right=ENGINEERS, title="Load JumpScripts")
    def load_jumpscripts(self) -> Loaded:
        """Read the JumpScripts of the content directories again, so that new jobs run what they say now."""
        broken = self.runtime.controller.load_scripts()
        return {"scripts": Script.collection().count_documents({"current": True}), "broken": broken}

    def _answer(self, job_id: int, *, wait: bool) -> JobAnswer:
        """Tell how a job stands, if asked once it has ended; a fan-out takes as long as its batches together."""
        if wait:
            (row,) = Job.rows({"_id": job_id}, fields=["timeout", "expire_after", "fan.total"], limit=1)
            limit = LONGEST_WAIT if "fan" in row else row["timeout"] + row["expire_after"] + SLACK
            job = self.runtime.dal.job(job_id)
            with job.of_this_call():
                job.wait(min(LONGEST_WAIT, limit))
        (row,) = Job.rows({"_id": job_id}, fields=["status", "reason", "node_id", "result"], limit=1)
        return {
            "id": row["id"],
            "state": row["status"],
            "reason": row["reason"],
            "node_id": row["node_id"],
            "result": row.get("result"),
        }


def check_limits(*, timeout: float | None = None, expires: float = EXPIRES, priority: int = 0) -> None:
    """Refuse limits of a job that make no sense; raises InvalidError naming the argument."""
    if timeout is not None and not 0 < timeout <= LONGEST_WAIT:
        raise InvalidError(f"timeout: up to {LONGEST_WAIT:.0f} seconds.", detail={"argument": "timeout"})
    if not 0 < expires <= LONGEST_EXPIRY:
        raise InvalidError(f"expires: up to {LONGEST_EXPIRY:.0f} seconds.", detail={"argument": "expires"})
    if abs(priority) > HIGHEST:
        raise InvalidError(f"priority: from -{HIGHEST} to {HIGHEST}.", detail={"argument": "priority"})


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


def _version(row: dict[str, Any]) -> VersionRow:
    return {
        "sha256": row["sha256"],
        "loaded": row["loaded"],
        "current": bool(row["current"]),
        "broken": row.get("broken") or "",
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
