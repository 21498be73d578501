"""External networks and their pools of addresses."""

from __future__ import annotations

from typing import Any, ClassVar

import mongoengine

from portalfw.store import Document


class TakenAddress(mongoengine.EmbeddedDocument):  # type: ignore[misc]  # mongoengine carries no types
    """An external address and the cloudspace that has it."""

    ip = mongoengine.StringField(required=True)
    cloudspace_id = mongoengine.IntField(required=True)


class ExternalNetwork(Document):
    """A network outside the cloud; an address is either in ``ips`` (free) or in ``taken``, moved in one step."""

    meta: ClassVar[dict[str, Any]] = {"collection": "external_network", "indexes": ["account_id"]}

    name = mongoengine.StringField(required=True)
    gid = mongoengine.IntField(required=True)
    network = mongoengine.StringField(required=True)
    subnetmask = mongoengine.StringField(required=True)
    gateway = mongoengine.StringField(required=True)
    vlan = mongoengine.IntField(default=0)
    account_id = mongoengine.IntField(default=0)  # 0 is everybody's
    ips = mongoengine.ListField(mongoengine.StringField())
    taken = mongoengine.EmbeddedDocumentListField(TakenAddress)
    pingips = mongoengine.ListField(mongoengine.StringField())
    host_gateway = mongoengine.BooleanField(default=False)  # the node itself is the gateway of this network
    shipped = mongoengine.BooleanField(default=False)  # made by the first start
