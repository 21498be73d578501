"""Alerts: what somebody has to look at."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from portalfw.alerts import alerts, watch
from portalfw.alerts.documents import Alert, State
from portalfw.auth.users import User
from portalfw.errors import InvalidError, NotFoundError
from portalfw.extension import duty
from portalfw.rest import Actor, Arg, Columns, Listing, method
from portalfw.runtime import Runtime

OPERATORS = "group:level1,level2,level3"
GROUPS = ["admin", "level1", "level2", "level3"]
FIELDS = ("category", "severity", "description", "page", "level", "assigned_user", "count", "first", "last", "closed")
ALERTS = Columns(
    Alert,
    "id",
    *FIELDS,
    state="status",
    times=("first", "last", "closed"),
    search=("id", "description", "category", "assignedUser"),
    sort="-last",
    limit=50,
    most=500,
)

AlertId = Annotated[int, Arg("Alert")]
Comment = Annotated[str, Arg("Comment", multiline=True, help="Kept in the alert's history.")]


class AlertRow(TypedDict):
    """One alert as lists show it; times in epoch seconds."""

    id: int
    category: str
    severity: str
    description: str
    page: str
    state: str
    level: int
    assigned_user: str
    count: int
    first: float
    last: float
    closed: float | None


class Step(TypedDict):
    """One thing that was done with an alert; no state if that stayed."""

    user: str
    state: str | None
    epoch: float
    comment: str


class AlertDetail(AlertRow):
    """One alert with its history, the newest first."""

    key: str
    history: list[Step]


@duty(every=5)
def sweep(runtime: Runtime) -> None:
    """Raise alerts for what went wrong, and note what is well again."""
    watch.sweep(runtime)


class Alerts(Actor, app="system"):
    """What somebody has to look at, until it is closed."""

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("alert",), title="List alerts")
    def list_(
        self,
        state: Annotated[State | None, Arg("State", help="Without one, all that are not closed.")] = None,
        *,
        listing: Annotated[Listing, ALERTS],
    ) -> list[AlertRow]:
        """Return the alerts, the last first."""
        rows = listing.of(Alert, {"status": state or {"$ne": "CLOSED"}}, fields=(*FIELDS, "status"))
        return rows.answered(_row(row) for row in rows)

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("alert:{alert}",))
    def get(self, alert: AlertId) -> AlertDetail:
        """Return one alert with its history."""
        rows = Alert.rows({"_id": alert}, limit=1)
        if not rows:
            raise NotFoundError(f"Alert {alert} does not exist.")
        return _detail(rows[0])

    @method(right=OPERATORS, title="Update alert")
    def update(
        self,
        alert: AlertId,
        state: State | None = None,
        username: Annotated[str | None, Arg("Assign to", choices="system/alerts/listAssignable")] = None,
        comment: Comment = "",
    ) -> AlertDetail:
        """Change the state of an alert, or whose it is, or remark something; return it."""
        if not (state or username or comment):
            raise InvalidError(
                "Nothing to change: give a state, a username or a comment.", detail={"argument": "state"}
            )
        if username and not User.rows({"name": username, "groups": {"$in": GROUPS}}, fields=["_id"], limit=1):
            raise InvalidError(f"{username} is no operator.", detail={"argument": "username"})
        user = self.call.principal.name
        return _detail(alerts.update(alert, user, state=state, assigned=username, comment=comment))

    @method(right=OPERATORS, title="Escalate")
    def escalate(self, alert: AlertId, comment: Comment = "") -> AlertDetail:
        """Hand an alert to the next level: from level1 to level2, from there to level3; return it."""
        return _detail(alerts.escalate(alert, self.call.principal.name, comment))

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("user",))
    def list_assignable(self) -> list[dict[str, str]]:
        """Return the names of the operators, as choices of a form."""
        rows = User.rows({"groups": {"$in": GROUPS}, "active": True}, fields=["name"], sort="name")
        return [{"id": row["name"], "name": row["name"]} for row in rows]


def _row(row: dict[str, Any]) -> AlertRow:
    return {
        "id": row["id"],
        "category": row["category"],
        "severity": row["severity"],
        "description": row["description"],
        "page": row["page"],
        "state": row["status"],
        "level": row["level"],
        "assigned_user": row["assigned_user"],
        "count": row["count"],
        "first": row["first"],
        "last": row["last"],
        "closed": row["closed"],
    }


def _detail(row: dict[str, Any]) -> AlertDetail:
    return {**_row(row), "key": row["key"], "history": row["history"][::-1]}
