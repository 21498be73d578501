"""Whether the platform and its nodes are well."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypedDict

from portalfw.controller import node_life
from portalfw.controller.documents import DECOMMISSIONED, Node
from portalfw.errors import NotFoundError
from portalfw.health import mutes
from portalfw.health.changes import HealthChange
from portalfw.health.findings import State, worst
from portalfw.health.node_results import NodeHealth
from portalfw.health.results import Message
from portalfw.rest import Actor, Arg, Columns, Listing, NameOf, method

OPERATORS = "group:level1,level2,level3"
HOUR = 3600.0
LIVE = ("health", "health_node", "health_mute")
GRAVITY: dict[State, int] = {"ERROR": 4, "MISSED": 3, "WARNING": 2, "OK": 1, "SKIPPED": 0}


class OverallStatus(TypedDict):
    """The state of the whole, and the number of findings in each state."""

    state: str
    ok: int
    warning: int
    error: int
    skipped: int
    missed: int
    muted: int  # findings that do not count, whatever their state


class CategoryStatus(OverallStatus):
    """The state of one category; ``checked`` is when its least recent check ran."""

    category: str
    checked: float


class HealthMessage(TypedDict):
    """One finding; times in epoch seconds, the interval in seconds."""

    id: str
    check: str
    uid: str
    category: str
    state: str
    gravity: int  # 4 for an error down to 0 for what was skipped
    message: str
    node_id: int | None
    node: str
    changed: float
    checked: float
    interval: float
    muted: bool
    muted_until: float | None
    muted_reason: str  # with who said so


class CheckRow(TypedDict):
    """One check; those on nodes are JumpScripts. The interval in seconds, 0 if it never runs by itself."""

    id: str
    name: str
    title: str
    on_nodes: bool
    scheduled: bool
    interval: float


class NodeStatus(OverallStatus):
    """How one node is: RUNNING, DEGRADED if something on it is not well, HALTED if it is away; ``state`` says which."""

    id: int
    name: str
    node_state: str
    checked: float | None  # when it told something last


class ChangeRow(TypedDict):
    """One change of the state of a finding; ``before`` is empty if it was new."""

    id: int
    finding: str
    check: str
    category: str
    node_id: int | None
    node: str
    before: str
    state: str
    message: str
    at: float


MESSAGES = Columns(
    HealthMessage,
    *("id", "check", "uid", "category", "state", "message", "gravity", "interval", "changed", "checked", "node"),
    times=("changed", "checked"),
    search=("message", "category", "check", "node"),
    sort="-gravity,category,id",
    limit=100,
    most=500,
)


CHECKS = Columns(CheckRow, "name", "title", "on_nodes", "scheduled", "interval", search=("name", "title"), sort="name")
NODE_STATES = Columns(
    NodeStatus,
    *("id", "name", "state", "node_state", "ok", "warning", "error", "missed", "skipped", "muted", "checked"),
    times=("checked",),
    search=("name",),
    sort="state,name",
    limit=100,
    most=500,
)
CHANGE_FIELDS = ["finding", "check", "category", "node_id", "before", "state", "message", "at"]
CHANGES = Columns(
    HealthChange,
    "id",
    *CHANGE_FIELDS,
    times=("at",),
    search=("message", "check", "category", "node"),
    sort="-id",
    limit=50,
    most=500,
    node=NameOf(Node, "node_id"),
)
FindingId = Annotated[str, Arg("Finding", help="Its id, check:uid or check@node:uid.")]
NodeId = Annotated[int | None, Arg("Node", choices="system/gridmanager/getNodes")]


class Health(Actor, app="system"):
    """Health of the platform and of its nodes."""

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=LIVE)
    def get_overall_status(self) -> OverallStatus:
        """Return the state of the whole: OK, WARNING or ERROR. What is muted does not count."""
        found = self.runtime.health.overall(fresh=True)
        return {**_counted(Counter(found.counts)), "state": found.state, "muted": found.muted}

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=LIVE)
    def get_status_summary(self, node_id: NodeId = None) -> list[CategoryStatus]:
        """Return the state of each category; of one node if asked."""
        found = defaultdict(list)
        for message in self._messages(node_id):
            found[message.category].append(message)
        return [
            {"category": category, "checked": min(one.checked for one in messages), **_status(messages)}
            for category, messages in sorted(found.items())
        ]

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=LIVE)
    def get_detailed_status(
        self,
        category: str | None = None,
        state: str | None = None,
        node_id: NodeId = None,
        *,
        listing: Annotated[Listing, MESSAGES],
    ) -> list[HealthMessage]:
        """Return what the checks last found, the worst first: of a category, in a state, or about a node if asked.

        With thousands of nodes, what is well on them is only told for the node that is asked for.
        """
        found = [
            message
            for message in self._messages(node_id)
            if category in {None, message.category} and state in {None, message.state}
        ]
        return listing.of_rows(_rows(found))

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=(*LIVE, "node"))
    def get_node_states(self, listing: Annotated[Listing, NODE_STATES]) -> list[NodeStatus]:
        """Return how each node is: RUNNING, DEGRADED or HALTED, and how many findings it has in each state."""
        messages = defaultdict(list)
        for message in self.runtime.health.troubled():
            if message.node_id is not None:
                messages[message.node_id].append(message)
        fields = ["name", "status", "connected", "last_seen"]
        rows = Node.rows({"status": {"$ne": DECOMMISSIONED}}, fields=fields)
        checked = _last_checked()
        return listing.of_rows([_node_status(row, messages[row["id"]], checked.get(row["id"])) for row in rows])

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("script", "schedule"), title="List checks")
    def list_checks(self, listing: Annotated[Listing, CHECKS]) -> list[CheckRow]:
        """Return all checks: those of the platform, and those that run on nodes."""
        health = self.runtime.health
        own = [_check(one.name, one.title, one.every, on_nodes=False) for one in health.checks.values()]
        on_nodes = [
            _check(name, one["header"]["descr"], one["interval"], on_nodes=True, scheduled=one["scheduled"])
            for name, one in health.nodes.known().items()
        ]
        return listing.of_rows([*own, *on_nodes])

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("health_change",), title="List changes")
    def list_changes(
        self, node_id: NodeId = None, finding: FindingId | None = None, *, listing: Annotated[Listing, CHANGES]
    ) -> list[ChangeRow]:
        """Return what has changed within thirty days, the newest first: on a node, or of one finding if asked."""
        given = {"node_id": node_id, "finding": finding}
        query = {name: value for name, value in given.items() if value is not None}
        rows = listing.of(HealthChange, query, fields=CHANGE_FIELDS)
        names = _node_names(row.get("node_id") for row in rows)
        return rows.answered(_change(row, names) for row in rows)

    @method(right=OPERATORS, title="Check now")
    def run(
        self, category: Annotated[str | None, Arg("Category", help="All if empty.")] = None, node_id: NodeId = None
    ) -> OverallStatus:
        """Run the platform's checks of a category, or all of them, now; with a node, what is checked there.

        Return the state of the whole.
        """
        health = self.runtime.health
        if node_id is not None:
            found = {one.check for one in self._messages(node_id) if category in {None, one.category}}
            for name in sorted((found if category else set(health.nodes.known())) & set(health.nodes.known())):
                health.nodes.run(name, node_id, self.call.principal.name)
            return self.get_overall_status()
        for check in list(health.checks.values()):
            if category in {None, check.category}:
                health.run(check.name)
        return self.get_overall_status()

    @method(right=OPERATORS, title="Check now")
    def refresh_command(
        self, cmd: Annotated[str, Arg("Check", help="Its name.")], node_id: NodeId = None
    ) -> list[HealthMessage]:
        """Run one check now, one of nodes on that node, and return what it found."""
        health = self.runtime.health
        if cmd in health.checks:
            health.run(cmd)
            return _rows([message for message in health.messages() if message.check == cmd])
        if node_id is None:
            raise NotFoundError(f"There is no health check {cmd} of the platform; one of nodes needs a nodeId.")
        return _rows(health.nodes.run(cmd, node_id, self.call.principal.name))

    @method(right=OPERATORS, title="Mute")
    def mute(
        self,
        finding: FindingId,
        reason: Annotated[str, Arg("Reason", multiline=True, help="Shown beside it; name the issue, if there is one.")],
        hours: Annotated[float, Arg("For", help="Hours, 2160 at most (90 days).")] = 24.0,
    ) -> bool:
        """Let a finding neither count nor raise alerts for some time."""
        if not any(one.id == finding for one in self._all()):
            raise NotFoundError(f"There is no finding {finding}.")
        mutes.mute(finding, self.call.principal.name, reason, hours * HOUR)
        return True

    @method(right=OPERATORS, title="Un-mute")
    def unmute(self, finding: FindingId) -> bool:
        """Let a finding count again."""
        mutes.unmute(finding)
        return True

    def _all(self) -> list[Message]:
        return [*self.runtime.health.platform(), *self.runtime.health.nodes.messages(everything=True)]

    def _messages(self, node_id: int | None) -> list[Message]:
        health = self.runtime.health
        if node_id is None:
            return health.messages()
        own = [one for one in health.platform() if one.node_id == node_id]
        return [*own, *health.nodes.messages({"node_id": node_id})]


def _status(messages: list[Message]) -> OverallStatus:
    known = mutes.muted()
    counts = Counter[State](message.state for message in messages if message.id not in known)
    return {**_counted(counts), "muted": sum(message.id in known for message in messages)}


def _counted(counts: Counter[State]) -> OverallStatus:
    return {
        "state": worst(state for state in counts if counts[state]),
        "ok": counts["OK"],
        "warning": counts["WARNING"],
        "error": counts["ERROR"],
        "skipped": counts["SKIPPED"],
        "missed": counts["MISSED"],
        "muted": 0,
    }


def _rows(messages: list[Message]) -> list[HealthMessage]:
    known = mutes.muted()
    names = _node_names(one.node_id for one in messages)
    return [_row(one, names.get(one.node_id, ""), known.get(one.id)) for one in messages]


def _node_names(ids: Iterable[int | None]) -> dict[int | None, str]:
    wanted = {one for one in ids if one is not None}
    return {row["id"]: row["name"] for row in Node.rows({"_id": {"$in": list(wanted)}}, fields=["name"])}


def _row(message: Message, node: str, mute: dict[str, Any] | None) -> HealthMessage:
    return {
        "id": message.id,
        "check": message.check,
        "uid": message.uid,
        "category": message.category,
        "state": message.state,
        "gravity": 0 if mute else GRAVITY[message.state],
        "message": message.message,
        "node_id": message.node_id,
        "node": node,
        "changed": message.changed,
        "checked": message.checked,
        "interval": message.interval,
        "muted": mute is not None,
        "muted_until": mute["until"] if mute else None,
        "muted_reason": f"{mute['reason']} ({mute['user']})" if mute else "",
    }


def _check(name: str, title: str, interval: float, *, on_nodes: bool, scheduled: bool = True) -> CheckRow:
    return {
        "id": name,
        "name": name,
        "title": title,
        "on_nodes": on_nodes,
        "scheduled": scheduled,
        "interval": interval,
    }


def _last_checked() -> dict[int, float]:
    group = {"_id": "$node_id", "checked": {"$max": "$checked"}}
    pipeline: list[dict[str, Any]] = [{"$match": {"job": {"$gt": 0}}}, {"$group": group}]
    return {row["_id"]: row["checked"] for row in NodeHealth.collection().aggregate(pipeline)}


def _node_status(row: dict[str, Any], messages: list[Message], checked: float | None) -> NodeStatus:
    status = _status(messages)
    degraded = status["state"] != "OK"
    state = "HALTED" if not row.get("connected") else "DEGRADED" if degraded else "RUNNING"
    return {
        **status,
        "id": row["id"],
        "name": row["name"],
        "state": state,
        "node_state": node_life.state_of(row),
        "checked": checked,
    }


def _change(row: dict[str, Any], names: Mapping[int | None, str]) -> ChangeRow:
    return {
        "id": row["id"],
        "finding": row["finding"],
        "check": row["check"],
        "category": row["category"],
        "node_id": row.get("node_id"),
        "node": names.get(row.get("node_id"), ""),
        "before": row["before"],
        "state": row["state"],
        "message": row["message"],
        "at": row["at"],
    }
