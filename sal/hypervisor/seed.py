"""A guest's first words: the NoCloud seed, a small ISO 9660 disk labelled ``cidata``.

The form is cloud-init's: https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html
"""

from __future__ import annotations

import io
import json

import pycdlib

from sal.hypervisor.spec import MachineSpec, SeedSpec


def seed_files(spec: MachineSpec, seed: SeedSpec) -> dict[str, str]:
    """Return the seed's files by name.

    The user's own ``userdata`` stays as it is; the account with its password then goes into ``vendor-data``, which
    cloud-init merges below it. JSON is YAML, so nothing that a user types can leave its quotes.
    """
    meta = f"instance-id: {spec.uuid}\nlocal-hostname: {json.dumps(seed.hostname)}\n"
    account = "#cloud-config\n" + json.dumps(_account(seed), indent=1) + "\n"
    if seed.userdata is None:
        return {"meta-data": meta, "user-data": account}
    return {"meta-data": meta, "user-data": seed.userdata, "vendor-data": account}


def seed_iso(files: dict[str, str]) -> bytes:
    """Return the bytes of an ISO 9660 disk (with Joliet and Rock Ridge names) that holds ``files``."""
    disk = pycdlib.PyCdlib()
    disk.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident="cidata")
    for name, text in files.items():
        content = text.encode()
        plain = name.upper().replace("-", "_")
        disk.add_fp(io.BytesIO(content), len(content), f"/{plain}.;1", rr_name=name, joliet_path=f"/{name}")
    written = io.BytesIO()
    disk.write_fp(written)
    disk.close()
    return written.getvalue()


def _account(seed: SeedSpec) -> dict[str, object]:
    config: dict[str, object] = {"hostname": seed.hostname, "preserve_hostname": False}
    if seed.user:
        user = {"name": seed.user, "groups": "sudo", "shell": "/bin/bash", "sudo": "ALL=(ALL) NOPASSWD:ALL"}
        config["users"] = ["default", {**user, "lock_passwd": not seed.password}]
    if seed.user and seed.password:
        entry = {"name": seed.user, "password": seed.password, "type": "text"}
        config |= {"ssh_pwauth": True, "chpasswd": {"expire": False, "users": [entry]}}
    return config
