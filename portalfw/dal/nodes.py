"""Nodes: one by its id, or those that have some roles; scripts on them, and what was measured there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final, Generic, Literal

from portalfw.dal.job import J
from portalfw.dal.link import Link, Order
from portalfw.dal.results import JobResult, NodeInfo, Point, Series, Thing, shaped

ACTOR: Final = "system/gridmanager"
HOUR: Final = 3600.0


class Runner(Generic[J]):
    """Whatever scripts can be run on. Arguments of the script are given by name."""

    def __init__(self, link: Link, order: Order, kind: type[J]) -> None:
        """Run with the words of ``order``; jobs are pointed at by handles of a kind."""
        self._link, self._order, self._kind = link, order, kind

    def submit(
        self,
        script: str,
        *,
        timeout: float | None = None,
        expires: float | None = None,
        priority: int = 0,
        submitted_by: str = "",
        **args: Any,
    ) -> J:
        """Queue a JumpScript and return its job at once.

        Args:
            script: ``category/name``.
            timeout: seconds that it may run; None takes what its header says.
            expires: seconds that it may wait for its node before it ends as EXPIRED; 60 if not given.
            priority: higher goes first; 0 is usual.
            submitted_by: name of who asks, where that is not the owner of a token.
            **args: what ``action`` is called with.

        Raises:
            NotFoundError: no such script, or no such node.
            InvalidError: the script is broken, or its arguments are others.
            UnavailableError: no node has these roles.

        """
        terms = {"timeout": timeout, "expires": expires, "priority": priority, "submitted_by": submitted_by}
        return self._kind(self._link, self._link.submit(_with(self._order, script, args, **terms)))

    def run(self, script: str, *, timeout: float | None = None, expires: float | None = None, **args: Any) -> Any:
        """Run a JumpScript and return its result; raises JobFailedError and what ``submit`` raises."""
        return self.submit(script, timeout=timeout, expires=expires, **args).result()


class NodeHandle(Runner[J]):
    """One node."""

    def __init__(self, link: Link, node_id: int, kind: type[J]) -> None:
        """Point at a node by its id; whether it exists shows when it is used."""
        super().__init__(link, Order("", {}, node=node_id), kind)
        self.id = node_id

    def info(self) -> NodeInfo:
        """Return the node; raises NotFoundError."""
        return shaped(NodeInfo, self._link.call(f"{ACTOR}/getNode", nodeId=self.id))

    def facts(self) -> dict[str, Any]:
        """Return what the agent found on the node: its hardware, system, disks, links."""
        return dict(self._link.call(f"{ACTOR}/getNode", nodeId=self.id)["facts"])

    def things(self, kind: str | None = None) -> list[Thing]:
        """Return of what there are figures on the node now: the node itself, its disks, links and guests."""
        return [shaped(Thing, row) for row in self._link.call(f"{ACTOR}/getThings", nodeId=self.id, kind=kind)]

    def statistics(
        self,
        *figures: str,
        last: float = HOUR,
        since: float | None = None,
        until: float | None = None,
        kind: str = "node",
        key: str = "",
        value: Literal["mean", "min", "max"] = "mean",
    ) -> tuple[Series, ...]:
        """Return figures over time: of the last so many seconds, or between two times.

        Args:
            *figures: for instance ``cpu``, or ``rx_bytes`` and ``tx_bytes``; see docs/statistics.md.
            last: seconds before ``until``, if ``since`` is not given.
            since: epoch seconds.
            until: epoch seconds; now if not given.
            kind: node, disk, filesystem, nic, sensor, guest, guest_disk or guest_nic.
            key: which of these it is; see :meth:`things`.
            value: which value of each step of time.

        """
        end = time.time() if until is None else until
        asked = {"from": end - last if since is None else since, "to": until, "kind": kind, "key": key or None}
        found = self._link.call(f"{ACTOR}/getStatistics", nodeId=self.id, figures=list(figures), value=value, **asked)
        return tuple(_series(row, found["step"]) for row in found["series"])


class RoleHandle(Runner[J]):
    """The nodes that have all of some roles, of one grid if asked. :meth:`submit` and :meth:`run` take any one of them.

    That is the least busy one that is there. If none is, the job waits for one; if it goes away before it begins,
    another one takes the job.
    """

    def __init__(self, link: Link, roles: tuple[str, ...], gid: int | None, kind: type[J]) -> None:
        """Point at roles by their names; without any, at all nodes."""
        super().__init__(link, Order("", {}, roles=roles, gid=gid), kind)

    def nodes(self) -> list[NodeInfo]:
        """Return the nodes, whether they are there now or not."""
        first, gid = next(iter(self._order.roles), None), self._order.gid
        # The portal narrows by the grid and by one role, as a list there takes one condition a column.
        asked = ({} if first is None else {"roles": f"={first}"}) | ({} if gid is None else {"gid": str(gid)})
        rows = self._link.call(f"{ACTOR}/getNodes", limit=0, filter=asked or None)
        return [shaped(NodeInfo, row) for row in rows if set(self._order.roles) <= set(row["roles"])]

    def submit_all(
        self,
        script: str,
        *,
        batch: int = 0,
        stop_on_failure: bool = False,
        timeout: float | None = None,
        expires: float | None = None,
        priority: int = 0,
        submitted_by: str = "",
        **args: Any,
    ) -> J:
        """Queue a JumpScript for all of the nodes, as one job with children; see :meth:`submit` for the rest.

        Args:
            script: ``category/name``.
            batch: nodes that have their turn together; 0 is all.
            stop_on_failure: begin on no more nodes once one did not end as OK.
            timeout: as for one node.
            expires: as for one node.
            priority: as for one node.
            submitted_by: as for one node.
            **args: what ``action`` is called with on each.

        """
        terms = {"timeout": timeout, "expires": expires, "priority": priority, "submitted_by": submitted_by}
        many = {"all": True, "batch": batch, "stop_on_failure": stop_on_failure}
        return self._kind(self._link, self._link.submit(_with(self._order, script, args, **terms, **many)))

    def run_all(self, script: str, **given: Any) -> Iterator[JobResult]:
        """Run a JumpScript on all of the nodes and yield what each came to, when it has ended.

        It begins at once, and goes on if nobody asks for the results. Arguments are those of :meth:`submit_all`.
        """
        return self.submit_all(script, **given).results()


def _with(order: Order, script: str, args: dict[str, Any], **terms: Any) -> Order:
    return Order(script, args, order.node, order.roles, order.gid, **terms)


def _series(row: dict[str, Any], step: int) -> Series:
    points = tuple(Point(at, value) for at, value in row["points"])
    return Series(row["figure"], row["label"], row["unit"], step, points)
