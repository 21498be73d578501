"""Who may call what: every user against every method, by the rights that are declared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypedDict

from portalfw.auth.principal import Principal
from portalfw.auth.users import User, find_user
from portalfw.rest import Actor, Arg, Columns, Listing, Method, method

Verdict = Literal["always", "by object", "never"]
USERS = Columns(User, "id", "name", "groups", "active", search=("name", "groups"), sort="name", limit=50, most=200)


class MethodAccess(TypedDict):
    """What a user may do with one method; ``id`` is its address, ``reason`` the right that decides."""

    id: str
    title: str
    right: str
    verdict: Verdict
    reason: str


METHODS = Columns(
    MethodAccess,
    "id",
    "title",
    "right",
    "verdict",
    "reason",
    search=("id", "title", "right"),
    sort="id",
    limit=50,
    most=500,
)


class AccessOverview(Actor, app="system"):
    """Who may do what where; for single calls see access/explain."""

    @method(right="group:admin", http=("GET", "POST"), readonly=True, live=("user",))
    def list_users(self, listing: Annotated[Listing, USERS]) -> list[dict[str, Any]]:
        """Return the users, and by app how many methods each may call: ``"12 + 80 of 120"``, always + by object."""
        rows = listing.of(User, fields=["name", "groups", "active"])
        rights = [(one.app, one.declaration.right) for one in self.runtime.registry]
        totals = Counter(app for app, _ in rights)
        return rows.answered([_user_row(row, rights, totals) for row in rows])

    @method(right="group:admin", http=("GET", "POST"), readonly=True, live=("user",))
    def list_methods(
        self, user: Annotated[str, Arg("User")], listing: Annotated[Listing, METHODS]
    ) -> list[MethodAccess]:
        """Return for each method whether a user may call it: always, on objects where it has the letters, or never."""
        principal = find_user(user).principal()
        return listing.of_rows(_method_row(principal, one) for one in self.runtime.registry)


def _user_row(row: dict[str, Any], rights: Iterable[tuple[str, str]], totals: Counter[str]) -> dict[str, Any]:
    principal = Principal(row["name"], frozenset(row.get("groups") or ()))
    given = Counter((app, _decide(principal, right)[0]) for app, right in rights)
    found = {"id": row["id"], "name": row["name"], "groups": sorted(principal.groups), "active": row["active"]}
    return found | {
        app: f"{given[app, 'always']} + {given[app, 'by object']} of {total}" for app, total in sorted(totals.items())
    }


def _method_row(principal: Principal, one: Method) -> MethodAccess:
    right = one.declaration.right
    verdict, reason = _decide(principal, right)
    return {"id": one.address, "title": one.title, "right": right, "verdict": verdict, "reason": reason}


def _decide(principal: Principal, right: str) -> tuple[Verdict, str]:
    """Decide a right without an object, and name the alternative that decides."""
    if principal.is_admin:
        return "always", "administrators may do everything"
    alternatives = right.split("|")
    for alternative in alternatives:
        kind, _, rest = alternative.partition(":")
        if kind in {"guest", "login"} or (kind == "group" and principal.has_group(*rest.split(","))):
            return "always", alternative
    by_object = [one for one in alternatives if not one.startswith("group:")]
    return ("by object", by_object[0]) if by_object else ("never", right)
