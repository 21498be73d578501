"""Cloudspaces: a private network with one gateway, its DHCP leases and port forwards."""

from __future__ import annotations

from typing import Any, ClassVar

import mongoengine

from actors.cloud.models.account import UNLIMITED, Ace
from actors.cloud.models.lifecycle import LifeCycleDocument
from portalfw.store import Document


class CloudspaceLease(mongoengine.EmbeddedDocument):  # type: ignore[misc]  # mongoengine carries no types
    """A private address that a machine has; the gateway's DHCP server hands it out."""

    machine_id = mongoengine.IntField(required=True)
    ip = mongoengine.StringField(required=True)
    mac = mongoengine.StringField(required=True)
    hostname = mongoengine.StringField(required=True)


class Cloudspace(LifeCycleDocument):
    """A private network of an account, behind one gateway with one external address."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "cloudspace",
        "indexes": [
            # live is in it so that counting those of accounts needs no documents
            {"fields": ["account_id", "name", "live"], "unique": True, "partialFilterExpression": {"live": True}},
            # for operators' lists, as those of machines
            {"fields": ["live", "id", "status"], "partialFilterExpression": {"live": True}},
            {"fields": ["live", "name", "id", "status"], "partialFilterExpression": {"live": True}},
            "acl.user_group_id",
            "status",
        ],
    }

    name = mongoengine.StringField(required=True)
    description = mongoengine.StringField(default="")
    account_id = mongoengine.IntField(required=True)
    acl = mongoengine.EmbeddedDocumentListField(Ace)
    resource_limits = mongoengine.DictField(default=lambda: dict(UNLIMITED))
    allowed_vm_sizes = mongoengine.ListField(mongoengine.IntField())
    gid = mongoengine.IntField(required=True)
    location = mongoengine.StringField(required=True)
    private_network = mongoengine.StringField(required=True)  # CIDR
    external_network_id = mongoengine.IntField(required=True)
    external_ip = mongoengine.StringField(default="")
    stack_id = mongoengine.IntField()  # where its gateway runs
    type = mongoengine.StringField(default="vgw")
    mode = mongoengine.StringField(default="public")
    secret = mongoengine.StringField(default="")
    leases = mongoengine.EmbeddedDocumentListField(CloudspaceLease)
    gateway_wanted = mongoengine.IntField(default=0)  # grows with each change of leases or forwards
    gateway_applied = mongoengine.IntField(default=0)  # the last such change that the gateway has


class PortForward(Document):
    """A port of a cloudspace's external address that leads to a port of one of its machines."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "port_forward",
        "indexes": [
            {"fields": ["public_ip", "public_port", "protocol"], "unique": True},
            "cloudspace_id",
            "machine_id",
        ],
    }

    cloudspace_id = mongoengine.IntField(required=True)
    machine_id = mongoengine.IntField(required=True)
    public_ip = mongoengine.StringField(required=True)
    public_port = mongoengine.IntField(required=True)
    local_ip = mongoengine.StringField(required=True)
    local_port = mongoengine.IntField(required=True)
    protocol = mongoengine.StringField(required=True, choices=["tcp", "udp"])
