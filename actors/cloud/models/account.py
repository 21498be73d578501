"""Accounts, and who may do what with them."""

from __future__ import annotations

from typing import Any, ClassVar

import mongoengine

from actors.cloud.models.lifecycle import LifeCycleDocument

UNLIMITED: dict[str, int] = {"CU_M": -1, "CU_C": -1, "CU_D": -1, "CU_NP": -1, "CU_I": -1}


class Ace(mongoengine.EmbeddedDocument):  # type: ignore[misc]  # mongoengine carries no types
    """One entry of an access control list: a user (U) or group (G) and its right."""

    user_group_id = mongoengine.StringField(required=True)
    type = mongoengine.StringField(default="U", choices=["U", "G"])
    right = mongoengine.StringField(required=True)
    status = mongoengine.StringField(default="CONFIRMED")
    explicit = mongoengine.BooleanField(default=True)


class Account(LifeCycleDocument):
    """Who pays: the owner of cloudspaces, disks and images."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "account",
        "indexes": [
            {"fields": ["name"], "unique": True, "partialFilterExpression": {"live": True}},
            "acl.user_group_id",
        ],
    }

    name = mongoengine.StringField(required=True)
    acl = mongoengine.EmbeddedDocumentListField(Ace)
    resource_limits = mongoengine.DictField(default=lambda: dict(UNLIMITED))
    send_access_emails = mongoengine.BooleanField(default=True)
