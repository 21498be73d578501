"""A machine in libvirt's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from xml.etree import ElementTree as ET

from sal.hypervisor.spec import MachineSpec
from sal.names import tap

#: Where machines leave a mark of the spec that they were made from.
NAMESPACE: Final = "urn:portalfw:machine"
CONSOLE_LOGS: Final = "/var/log/libvirt/qemu"
#: Ports of PCI Express: one for the USB controller, and free ones, so that disks and cards can be added to a running
#: machine (q35 has none of its own).
_PORTS: Final = 9
#: KiB of the graphics card: enough for 2560 by 1600.
_VIDEO_MEMORY: Final = 16384


def console_log(name: str) -> str:
    """Return the file into which a machine's serial console is written."""
    return f"{CONSOLE_LOGS}/{name}.console.log"


def domain_xml(spec: MachineSpec, domain_type: str, paths: Mapping[str, str], mark: str) -> str:
    """Return the domain definition.

    Params: ``domain_type`` is ``kvm`` only where KVM has proved itself, else ``qemu``; ``paths`` are the files of the
    volumes by name, the seed's among them if there is one; ``mark`` is kept in the domain to know it again.
    """
    ET.register_namespace("portalfw", NAMESPACE)
    domain = ET.Element("domain", type=domain_type)
    _text(domain, "name", spec.name)
    _text(domain, "uuid", spec.uuid)
    ET.SubElement(ET.SubElement(domain, "metadata"), f"{{{NAMESPACE}}}spec", digest=mark)
    _text(domain, "memory", str(spec.memory), unit="MiB")
    _text(domain, "vcpu", str(spec.vcpus))
    _text(ET.SubElement(domain, "os"), "type", "hvm", arch="x86_64", machine="q35")
    features = ET.SubElement(domain, "features")
    ET.SubElement(features, "acpi")
    ET.SubElement(features, "apic")
    if domain_type == "kvm":  # software emulation with a named processor model is slower and may not start
        ET.SubElement(domain, "cpu", mode="host-passthrough", check="none")
    for event, action in (("on_poweroff", "destroy"), ("on_reboot", "restart"), ("on_crash", "destroy")):
        _text(domain, event, action)
    _devices(ET.SubElement(domain, "devices"), spec, paths)
    ET.indent(domain)
    return ET.tostring(domain, encoding="unicode")


def _devices(devices: ET.Element, spec: MachineSpec, paths: Mapping[str, str]) -> None:
    for index in range(1, _PORTS + 1):
        ET.SubElement(devices, "controller", type="pci", index=str(index), model="pcie-root-port")
    ET.SubElement(devices, "controller", type="usb", model="qemu-xhci")
    _disks(devices, spec, paths)
    for index, nic in enumerate(spec.nics):
        interface = ET.SubElement(devices, "interface", type="bridge")
        ET.SubElement(interface, "mac", address=nic.mac)
        ET.SubElement(interface, "source", bridge=nic.bridge)
        ET.SubElement(interface, "target", dev=tap(spec.name, index))
        ET.SubElement(interface, "model", type="virtio")
    serial = ET.SubElement(devices, "serial", type="pty")
    ET.SubElement(serial, "log", file=console_log(spec.name), append="on")
    ET.SubElement(serial, "target", port="0")
    ET.SubElement(ET.SubElement(devices, "console", type="pty"), "target", type="serial", port="0")
    _screen(devices)
    ET.SubElement(devices, "memballoon", model="none")


def _screen(devices: ET.Element) -> None:
    """Add a screen that listens nowhere (see `Machines.screen`), and a tablet, which can be pointed at a place."""
    ET.SubElement(devices, "input", type="tablet", bus="usb")
    ET.SubElement(ET.SubElement(devices, "graphics", type="vnc"), "listen", type="none")
    ET.SubElement(ET.SubElement(devices, "video"), "model", type="vga", vram=str(_VIDEO_MEMORY))


def _disks(devices: ET.Element, spec: MachineSpec, paths: Mapping[str, str]) -> None:
    first = sorted(spec.disks, key=lambda disk: not disk.boot)
    for index, volume in enumerate(spec.disks):
        disk = _disk(devices, paths[volume.volume], "qcow2", index)
        ET.SubElement(disk, "boot", order=str(first.index(volume) + 1))
    if spec.seed_volume in paths:
        seed = _disk(devices, paths[spec.seed_volume], "raw", len(spec.disks))
        ET.SubElement(seed, "readonly")


def _disk(devices: ET.Element, path: str, form: str, index: int) -> ET.Element:
    disk = ET.SubElement(devices, "disk", type="file", device="disk")
    ET.SubElement(disk, "driver", name="qemu", type=form, discard="unmap")
    ET.SubElement(disk, "source", file=path)
    ET.SubElement(disk, "target", dev=f"vd{chr(ord('a') + index)}", bus="virtio")
    return disk


def _text(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, tag, attributes).text = text
