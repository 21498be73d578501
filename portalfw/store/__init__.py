"""MongoDB: the embedded server, the connection, the base document, compare-and-set, counters and leases."""

from portalfw.store.connection import connect, disconnect
from portalfw.store.document import Document, ensure_indexes
from portalfw.store.lease import Lease
from portalfw.store.mongod import Mongod

__all__ = ["Document", "Lease", "Mongod", "connect", "disconnect", "ensure_indexes"]
