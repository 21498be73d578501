"""The Datacenter Abstraction Layer: scripts on nodes, their results, schedules and statistics, as Python.

::

    from portalfw.dal import Datacenter

    dc = Datacenter("https://cloud.example.org", token)
    for result in dc.role("cpunode").run_all("node/hostfacts"):
        print(result.node, result.value())

The same interface serves actors as ``runtime.dal``, without a detour by HTTP. See docs/dal.md.
"""

from portalfw.dal.datacenter import Installation, as_completed
from portalfw.dal.failures import JobFailedError
from portalfw.dal.job import JobHandle
from portalfw.dal.nodes import NodeHandle, RoleHandle
from portalfw.dal.remote import Datacenter
from portalfw.dal.results import JobResult, Line, NodeInfo, Occurrence, Point, ScheduleInfo, Series, Summary, Thing
from portalfw.dal.schedules import Schedules

__all__ = [
    "Datacenter",
    "Installation",
    "JobFailedError",
    "JobHandle",
    "JobResult",
    "Line",
    "NodeHandle",
    "NodeInfo",
    "Occurrence",
    "Point",
    "RoleHandle",
    "ScheduleInfo",
    "Schedules",
    "Series",
    "Summary",
    "Thing",
    "as_completed",
]
