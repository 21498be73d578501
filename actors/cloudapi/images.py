"""Images as their users see them."""

from __future__ import annotations

from typing import Any

from actors.cloud.access import may_read_account
from actors.cloud.images import Images as Service
from actors.cloudapi import answers
from portalfw.rest import Actor, method


class Images(Actor, app="cloudapi"):
    """What machines start from."""

    @method(right="login", readonly=True, http=("GET", "POST"), live=("image",))
    def list_(self, account_id: int = 0) -> list[dict[str, Any]]:
        """List the images of everybody, and of an account that you may see."""
        seen = account_id if account_id and may_read_account(self.call.principal, account_id) else 0
        rows = self.service(Service).rows(seen)
        return [
            answers.image(row) for row in sorted(rows, key=lambda row: (row["account_id"], row["type"], row["name"]))
        ]
