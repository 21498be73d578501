"""An actor that makes tenants with machines, and changes machines as the product does."""

from __future__ import annotations

import time
from typing import Any

from actors.cloud.access import acl_of
from actors.cloud.models import Account, Cloudspace, Machine, Nic
from portalfw.auth.sessions import create_session
from portalfw.auth.users import User
from portalfw.rest import Actor, method

FIRST = 1  # the id of the first account, cloudspace and machine


class Living(Actor, app="bench"):
    """Machines that change while people look at them."""

    @method(right="group:admin")
    def fill(self, tenants: list[str], machines: int) -> bool:
        """Give each tenant an account with a cloudspace and ``machines``; the first machines are one of each tenant."""
        now = time.time()
        life = {"live": True, "creation_time": now, "update_time": now}
        owners = list(enumerate(tenants, FIRST))
        network = {"gid": 1, "location": "bench", "private_network": "10.0.0.0/24", "external_network_id": 1}
        Account.collection().insert_many(
            Account(id=one, name=name, status="CONFIRMED", acl=acl_of(name), **life).to_mongo() for one, name in owners
        )
        Cloudspace.collection().insert_many(
            Cloudspace(id=one, name=name, account_id=one, status="DEPLOYED", **network, **life).to_mongo()
            for one, name in owners
        )
        Machine.collection().insert_many(
            _machine(number * len(tenants) + one, one, f"{name}-{number}", life).to_mongo()
            for number in range(machines)
            for one, name in owners
        )
        return True

    @method(right="group:admin")
    def people(self, groups: dict[str, str]) -> dict[str, str]:
        """Make users, each in one group, and sign them in without passwords; return the values of their cookies."""
        users = {
            name: User.create(name=name, groups=[group], creation_time=time.time()) for name, group in groups.items()
        }
        return {name: create_session(user, "127.0.0.1", 1.0) for name, user in users.items()}

    @method(right="group:admin")
    def change(self, machine_id: int, vcpus: int) -> bool:
        """Move a machine between RUNNING and HALTED, and say by ``vcpus`` how often that was done."""
        to = "RUNNING" if vcpus % 2 else "HALTED"
        Machine.transition(machine_id, from_={"RUNNING", "HALTED"}, to=to, vcpus=vcpus)
        return True


def _machine(identity: int, owner: int, name: str, life: dict[str, Any]) -> Machine:
    address = f"10.0.{identity // 250}.{identity % 250}"
    nic = Nic(
        type="bridge",
        network_id=1,
        device_name=f"bench{identity}",
        mac_address="52:54:00:00:00:01",
        ip_address=address,
    )
    return Machine(
        id=identity,
        name=name,
        hostname=name,
        account_id=owner,
        cloudspace_id=owner,
        image_id=1,
        memory=512,
        vcpus=0,
        nics=[nic],
        reference_id=f"00000000-0000-4000-8000-{identity:012d}",
        status="HALTED",
        **life,
    )
