"""What a node is told about a machine."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

import yaml

from actors.cloud import disks
from actors.cloud.models import Image, Machine
from actors.cloud.names import Names
from portalfw.errors import InvalidError

LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that look alike
PASSWORD_LENGTH = 9


def machine_spec(machine: Machine, names: Names) -> dict[str, Any]:
    """Return the whole description of a machine that jobs carry to its node."""
    image = names.image(machine.image_id)
    login = machine.accounts[0]
    return {
        "name": names.machine(machine.id),
        "uuid": machine.reference_id,
        "memory": machine.memory,
        "vcpus": machine.vcpus,
        "hostname": machine.hostname,
        "disks": [
            {
                "volume": names.disk(disk["id"]),
                "size": disk["size_max"],
                "image": image if disk["type"] == "B" else None,
                "boot": disk["type"] == "B",
            }
            for disk in disks.of_machine(machine.id)
        ],
        "nics": [
            {"bridge": names.bridge(nic.network_id), "mac": nic.mac_address, "ip": nic.ip_address}
            for nic in machine.nics
        ],
        "seed": {
            "hostname": machine.hostname,
            "user": login.login,
            "password": login.password,
            "userdata": machine.userdata,
        },
    }


def host_name(name: str) -> str:
    """Return a machine's name as a host name: lower case letters, digits and dashes, at most 63 (RFC 1123)."""
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower())
    return letters.strip("-")[:63].strip("-") or "machine"


def login_of(image: Image) -> dict[str, str]:
    """Return the first login of a machine made from an image: the image's own, or a random password."""
    password = image.password or "".join(secrets.choice(LETTERS) for _ in range(PASSWORD_LENGTH))
    return {"login": image.username or "admin", "password": password}


def reference() -> str:
    """Return a new uuid for a domain."""
    return str(uuid.uuid4())


def checked_userdata(given: str | dict[str, Any] | None) -> str | None:
    """Return a guest's user data as YAML text.

    :raises InvalidError: if it is no mapping.
    """
    if not given:
        return None
    try:
        parsed = yaml.safe_load(given) if isinstance(given, str) else given
    except yaml.YAMLError as error:
        raise InvalidError(f"userdata is no YAML: {error}.", detail={"argument": "userdata"}) from error
    if not isinstance(parsed, dict):
        raise InvalidError("userdata must be a YAML mapping.", detail={"argument": "userdata"})
    return given if isinstance(given, str) else yaml.safe_dump(given)
