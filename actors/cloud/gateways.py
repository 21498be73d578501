"""A cloudspace's gateway on its node: what it should look like, and bringing it there."""

from __future__ import annotations

import ipaddress
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import gevent

from actors.cloud.models import Cloudspace, ExternalNetwork, PortForward
from actors.cloud.networks import router_address
from actors.cloud.nodes import Nodes
from portalfw.errors import UnavailableError
from portalfw.store import Lease

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

TIMEOUT = 60.0  # seconds that a node may take for a gateway
TURN = 90.0  # seconds after which a turn that a dead process held is free again
PAUSE = 0.02


class Gateways:
    """Keeps gateways as the documents say: leases and port forwards, in one description that is applied as a whole.

    Each change of a cloudspace's leases or forwards raises its ``gateway_wanted``. Whoever applies the description
    notes in ``gateway_applied`` up to which change it went, so that several changes share one job, none is lost, and
    a process that dies in between leaves a difference that the reconciler sees.
    """

    def __init__(self, runtime: Runtime) -> None:
        """Bind to the process's services."""
        self._nodes = runtime.service(Nodes)

    def spec(self, cloudspace: Cloudspace) -> dict[str, Any]:
        """Return the description of a cloudspace's gateway that the node is given."""
        names = self._nodes.names
        network = ExternalNetwork.get(cloudspace.external_network_id)
        prefix = ipaddress.IPv4Network(f"{network.network}/{network.subnetmask}").prefixlen
        forwards = PortForward.rows({"cloudspace_id": cloudspace.id})
        return {
            "name": names.gateway(cloudspace.id),
            "bridge": names.bridge(cloudspace.id),
            "network": cloudspace.private_network,
            "address": router_address(cloudspace.private_network),
            "external": {
                "bridge": names.external_bridge(network.id),
                "address": f"{cloudspace.external_ip}/{prefix}",
                "gateway": network.gateway,
                "host_gateway": network.host_gateway,
            },
            "leases": [{"mac": lease.mac, "ip": lease.ip, "hostname": lease.hostname} for lease in cloudspace.leases],
            "forwards": [
                {key: row[key] for key in ("protocol", "public_ip", "public_port", "local_ip", "local_port")}
                for row in forwards
            ],
        }

    def apply(self, cloudspace_id: int, script: str = "network/applyforwards") -> None:
        """Bring the node's gateway to what the documents say now; others' changes that wait go along.

        :raises UnavailableError: if the node is away or another process holds the gateway for too long.
        :raises JobFailedError: if the node cannot do it.
        """
        wanted = Cloudspace.get(cloudspace_id).gateway_wanted
        with self._turn(cloudspace_id):
            cloudspace = Cloudspace.get(cloudspace_id)
            if script == "network/applyforwards" and cloudspace.gateway_applied >= wanted:
                return  # somebody else's turn took this change along
            node_id = self._nodes.of_stack(cloudspace.stack_id)
            self._nodes.run(node_id, script, timeout=TIMEOUT, gateway=self.spec(cloudspace))
            Cloudspace.collection().update_one(
                {"_id": cloudspace_id}, {"$max": {"gateway_applied": cloudspace.gateway_wanted}}
            )

    def deploy(self, cloudspace_id: int) -> None:
        """Make the gateway on its node; errors as :meth:`apply`."""
        self.apply(cloudspace_id, "network/deploygateway")

    def remove(self, cloudspace: Cloudspace) -> None:
        """Take the gateway off its node; errors as :meth:`apply`."""
        with self._turn(cloudspace.id):
            node_id = self._nodes.of_stack(cloudspace.stack_id)
            self._nodes.run(node_id, "network/removegateway", timeout=TIMEOUT, gateway=self.spec(cloudspace))

    def changed(self, cloudspace_id: int) -> None:
        """Note that the gateway must be applied again."""
        Cloudspace.collection().update_one({"_id": cloudspace_id}, {"$inc": {"gateway_wanted": 1}})

    @contextmanager
    def _turn(self, cloudspace_id: int) -> Iterator[None]:
        lease = Lease(f"gateway:{cloudspace_id}", TURN, uuid.uuid4().hex)
        limit = time.monotonic() + TURN
        while not lease.acquire():
            if time.monotonic() > limit:
                raise UnavailableError(f"The gateway of cloudspace {cloudspace_id} is busy; try again in a minute.")
            gevent.sleep(PAUSE)
        try:
            yield
        finally:
            lease.release()
