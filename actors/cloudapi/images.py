"""Images as their users see them."""

from __future__ import annotations

from typing import Annotated

from actors.cloud.access import may_read_account
from actors.cloud.images import Images as Service
from actors.cloud.models import Image
from actors.cloudapi.answers.images import ImageRow, image
from actors.cloudapi.columns import IMAGES
from portalfw.rest import Actor, Listing, method


class Images(Actor, app="cloudapi"):
    """What machines start from."""

    @method(right="login", readonly=True, http=("GET", "POST"), live=("image",))
    def list_(self, account_id: int = 0, *, listing: Annotated[Listing, IMAGES]) -> list[ImageRow]:
        """List the images of everybody, and of an account that you may see."""
        seen = account_id if account_id and may_read_account(self.call.principal, account_id) else 0
        rows = listing.of(Image, self.service(Service).ready(seen))
        return rows.answered(map(image, rows))
