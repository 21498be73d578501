"""A gateway that only exists in libvirt's simulation."""

from __future__ import annotations

import uuid
from xml.etree import ElementTree as ET

from sal.hypervisor.calls import named
from sal.hypervisor.connection import Hypervisor
from sal.network.gateway import GatewayResult
from sal.network.spec import GatewaySpec


class SimulatedGateway:
    """A network of libvirt's simulated driver in place of a gateway: it forwards nothing."""

    def __init__(self, spec: GatewaySpec, hypervisor: Hypervisor) -> None:
        """Keep it in the simulated world of ``hypervisor``."""
        self.spec = spec
        self.hypervisor = hypervisor

    def apply(self) -> GatewayResult:
        """Make the network, and note the leases in it."""
        with named(f"gateway {self.spec.name}"):
            network = self.hypervisor.connection.networkDefineXML(network_xml(self.spec))
            started = not network.isActive()
            if started:
                network.create()
        return GatewayResult(self.spec.name, changed=started, simulated=True)

    def remove(self) -> GatewayResult:
        """Remove the network."""
        network = self.hypervisor.lookup("networkLookupByName", self.spec.name, "VIR_ERR_NO_NETWORK")
        if network is None:
            return GatewayResult(self.spec.name, changed=False, simulated=True)
        with named(f"gateway {self.spec.name}"):
            if network.isActive():
                network.destroy()
            network.undefine()
        return GatewayResult(self.spec.name, changed=True, simulated=True)


def network_xml(spec: GatewaySpec) -> str:
    """Return the network's definition."""
    network = ET.Element("network")
    ET.SubElement(network, "name").text = spec.name
    # The same name must always come with the same identity, or libvirt refuses to change what there is.
    ET.SubElement(network, "uuid").text = str(uuid.uuid5(uuid.NAMESPACE_URL, spec.name))
    ET.SubElement(network, "bridge", name=spec.bridge)
    ip = ET.SubElement(network, "ip", address=str(spec.address), netmask=str(spec.network.netmask))
    dhcp = ET.SubElement(ip, "dhcp")
    for lease in spec.leases:
        host = ET.SubElement(dhcp, "host", mac=lease.mac, ip=str(lease.ip))
        if lease.hostname:
            host.set("name", lease.hostname)
    return ET.tostring(network, encoding="unicode")
