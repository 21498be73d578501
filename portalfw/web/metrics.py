"""What the platform and its nodes tell Prometheus: ``/metrics`` and ``/metrics/nodes``.

Who reads them is an operator, or a token whose scope is the app ``metrics``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

import flask
import mongoengine
from flask import Request, Response
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from pymongo.collection import Collection

from portalfw.auth.principal import Principal
from portalfw.controller.documents import Job, Node
from portalfw.errors import PortalError
from portalfw.rest.http import failure
from portalfw.statistics.catalogue import figure
from portalfw.statistics.series import latest
from portalfw.web.traffic import BOUNDS, Traffic

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

OPERATORS: Final = "group:level1,level2,level3"
UNITS: Final = {"%": "_percent", "B": "_bytes", "B/s": "_per_second", "/s": "_per_second"}
"""What the name of a figure gets behind it, by its unit; Prometheus wants units in names."""


def blueprint(runtime: Runtime, identify: Callable[[Request], Principal], traffic: Traffic) -> flask.Blueprint:
    """Return the two addresses."""
    routes = flask.Blueprint("metrics", __name__)
    platform, nodes = CollectorRegistry(auto_describe=False), CollectorRegistry(auto_describe=False)
    platform.register(Platform(runtime, traffic))
    ProcessCollector(namespace="portalfw", registry=platform)
    nodes.register(Nodes())

    def told(registry: CollectorRegistry) -> Response:
        try:
            runtime.policy.require(identify(flask.request), OPERATORS, {}, address="metrics", readonly=True)
        except PortalError as error:
            return failure(error, flask.g.request_id)
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    @routes.get("/metrics")
    def of_platform() -> Response:
        return told(platform)

    @routes.get("/metrics/nodes")
    def of_nodes() -> Response:
        return told(nodes)

    return routes


class Platform(Collector):
    """This process, and what all processes share in the database."""

    def __init__(self, runtime: Runtime, traffic: Traffic) -> None:
        """Tell of this process."""
        self._runtime = runtime
        self._traffic = traffic

    def collect(self) -> Iterator[Metric]:
        """Yield what is so now."""
        yield from self._requests()
        controller = self._runtime.controller
        yield GaugeMetricFamily("portalfw_polls_parked", "Agents' questions parked here", controller.parking.parked)
        yield CounterMetricFamily("portalfw_samples", "Samples of nodes taken in here", controller.statistics.taken)
        yield _counted("portalfw_jobs", "Jobs that are kept, by state", "status", _by_status(Job.collection()))
        yield _counted("portalfw_nodes", "Nodes, by state", "status", _by_status(Node.collection()))
        yield GaugeMetricFamily(
            "portalfw_nodes_connected", "Nodes whose agents are there", controller.connected_nodes()
        )
        yield GaugeMetricFamily("portalfw_processes", "Processes of the portal that are alive", _processes())
        found = self._runtime.health.overall().counts
        yield _counted("portalfw_findings", "Findings of health checks, by state", "state", found.items())

    def _requests(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "portalfw_http_requests", "Requests answered here, by who asks and how it ended", labels=["kind", "status"]
        )
        for (kind, status), count in sorted(self._traffic.requests.items()):
            requests.add_metric([kind, status], count)
        yield requests
        times = HistogramMetricFamily("portalfw_http_request_seconds", "Time until the answer began, parked ones aside")
        bounds = [*map(str, BOUNDS), "+Inf"]
        totals = accumulate(self._traffic.classes)
        times.add_metric([], [*zip(bounds, map(float, totals), strict=True)], self._traffic.seconds)
        yield times


class Nodes(Collector):
    """The last figures of every node, of its disks, file systems, links, sensors and guests."""

    def collect(self) -> Iterator[Metric]:
        """Yield what was measured in the last half minute."""
        names = {row["id"]: row["name"] for row in Node.rows(fields=["name"])}
        families: dict[str, GaugeMetricFamily] = {}
        for row in latest():
            subject = row.pop("s")
            kind, labels = subject["kind"], [str(subject["node"]), names.get(subject["node"], "")]
            if kind != "node":
                labels.append(subject["key"])
            for name, value in row.items():
                full = metric_name(kind, name)
                family = families.get(full)
                if family is None:
                    more = [] if kind == "node" else ["key"]
                    text = figure(kind, name).descr
                    family = families[full] = GaugeMetricFamily(full, text, labels=["node_id", "node", *more])
                family.add_metric(labels, value)
        yield from families.values()


def metric_name(kind: str, name: str) -> str:
    """Return a figure's name in Prometheus: ``portalfw_disk_read_bytes_per_second``."""
    unit = UNITS.get(figure(kind, name).unit, "")
    return f"portalfw_{kind}_{name}{'' if name.endswith(unit) else unit}" if unit else f"portalfw_{kind}_{name}"


def _counted(name: str, text: str, label: str, counts: Iterable[tuple[str, int]]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, count in sorted(counts):
        family.add_metric([value], count)
    return family


def _by_status(collection: Collection[dict[str, Any]]) -> list[tuple[str, int]]:
    rows = collection.aggregate([{"$group": {"_id": "$status", "count": {"$sum": 1}}}])
    return [(str(row["_id"]), int(row["count"])) for row in rows]


def _processes() -> int:
    alive = {"_id": {"$regex": "^process:"}, "expires": {"$gte": time.time()}}
    return int(mongoengine.get_db()["lease"].count_documents(alive))
