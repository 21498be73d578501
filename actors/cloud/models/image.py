"""What machines are made from: images and sizes."""

from __future__ import annotations

from typing import Any, ClassVar

import mongoengine

from actors.cloud.models.lifecycle import LifeCycleDocument
from portalfw.store import Document


class Image(LifeCycleDocument):
    """A disk from which machines start; account 0 means everybody's."""

    meta: ClassVar[dict[str, Any]] = {"collection": "image", "indexes": ["account_id", "status"]}

    name = mongoengine.StringField(required=True)
    description = mongoengine.StringField(default="")
    url = mongoengine.StringField(required=True)  # http(s), portal:<file> or simulated:
    sha256 = mongoengine.StringField(default="")  # known for the portal's own files
    size = mongoengine.IntField(default=1)  # GiB that a boot disk needs at least
    type = mongoengine.StringField(default="Linux")
    boot_type = mongoengine.StringField(default="bios", choices=["bios", "uefi"])
    hot_resize = mongoengine.BooleanField(default=False)
    username = mongoengine.StringField(default="")
    password = mongoengine.StringField(default="")
    account_id = mongoengine.IntField(default=0)
    gid = mongoengine.IntField(required=True)


class Size(Document):
    """A named choice of memory and processors."""

    meta: ClassVar[dict[str, Any]] = {"collection": "size", "indexes": [("memory", "vcpus")]}

    name = mongoengine.StringField(required=True)
    description = mongoengine.StringField(default="")
    memory = mongoengine.IntField(required=True)  # MiB
    vcpus = mongoengine.IntField(required=True)
    disks = mongoengine.ListField(mongoengine.IntField())  # GiB offered
    gids = mongoengine.ListField(mongoengine.IntField())
