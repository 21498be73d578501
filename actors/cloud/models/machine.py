"""Machines and their disks."""

from __future__ import annotations

from typing import Any, ClassVar

import mongoengine

from actors.cloud.models.account import Ace
from actors.cloud.models.lifecycle import NOT_GONE, LifeCycleDocument


class Nic(mongoengine.EmbeddedDocument):  # type: ignore[misc]  # mongoengine carries no types
    """A network interface: ``bridge`` in the cloudspace, or ``PUBLIC`` in an external network."""

    type = mongoengine.StringField(default="bridge", choices=["bridge", "PUBLIC"])
    network_id = mongoengine.IntField(required=True)
    device_name = mongoengine.StringField(required=True)
    mac_address = mongoengine.StringField(required=True)
    ip_address = mongoengine.StringField(required=True)


class MachineAccount(mongoengine.EmbeddedDocument):  # type: ignore[misc]  # mongoengine carries no types
    """The first login of a guest."""

    login = mongoengine.StringField(required=True)
    password = mongoengine.StringField(required=True)


class Machine(LifeCycleDocument):
    """A virtual machine in a cloudspace."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "machine",
        "indexes": [
            # live is in it so that counting those of cloudspaces needs no documents
            {"fields": ["cloudspace_id", "name", "live"], "unique": True, "partialFilterExpression": {"live": True}},
            # what operators' lists sort by; ended by id and status so that skipping and filtering need no documents
            {"fields": ["deletion_time", "id", "status"], "partialFilterExpression": NOT_GONE},
            {"fields": ["deletion_time", "name", "id", "status"], "partialFilterExpression": NOT_GONE},
            {"fields": ["deletion_time", "status", "id"], "partialFilterExpression": NOT_GONE},
            {"fields": ["deletion_time", "creation_time", "id", "status"], "partialFilterExpression": NOT_GONE},
            "acl.user_group_id",
            "account_id",
            "stack_id",
            "status",
            "reference_id",
        ],
    }

    name = mongoengine.StringField(required=True)
    hostname = mongoengine.StringField(required=True)
    description = mongoengine.StringField(default="")
    account_id = mongoengine.IntField(required=True)
    cloudspace_id = mongoengine.IntField(required=True)
    acl = mongoengine.EmbeddedDocumentListField(Ace)
    image_id = mongoengine.IntField(required=True)
    size_id = mongoengine.IntField(default=0)
    memory = mongoengine.IntField(required=True)  # MiB
    vcpus = mongoengine.IntField(required=True)
    nics = mongoengine.EmbeddedDocumentListField(Nic)
    accounts = mongoengine.EmbeddedDocumentListField(MachineAccount)
    userdata = mongoengine.StringField()
    reference_id = mongoengine.StringField(required=True)  # uuid of the domain, lower case
    stack_id = mongoengine.IntField()
    on_node = mongoengine.BooleanField(default=False)  # a domain or volumes of it may exist on its stack's node


class Disk(LifeCycleDocument):
    """A volume: boot disk (B) or data disk (D)."""

    meta: ClassVar[dict[str, Any]] = {"collection": "disk", "indexes": ["account_id", "machine_id", "status"]}

    name = mongoengine.StringField(required=True)
    description = mongoengine.StringField(default="")
    type = mongoengine.StringField(required=True, choices=["B", "D"])
    size_max = mongoengine.IntField(required=True)  # GiB
    account_id = mongoengine.IntField(required=True)
    gid = mongoengine.IntField(required=True)
    machine_id = mongoengine.IntField()
    order = mongoengine.IntField(default=0)
    iops = mongoengine.IntField(default=2000)
