"""Images, for operators."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from actors.cloud.directory import names, one
from actors.cloud.images import Images
from actors.cloud.locations import find_location
from actors.cloud.models import Account, Stack
from actors.cloud.models import Image as Model
from actors.cloudapi import answers
from actors.cloudbroker.arguments import OPERATORS, ImageId, Limit, Offset, OwnerId, Reason
from actors.cloudbroker.image_source import check_url
from portalfw.errors import InvalidError
from portalfw.rest import Actor, Arg, method


class Image(Actor, app="cloudbroker"):
    """What machines start from."""

    @method(right=OPERATORS, title="Add image", creates="imageId")
    def create_image(
        self,
        name: str,
        url: Annotated[str, Arg("Address", help="Of a qcow2 file: http:// or https://.")],
        gid: Annotated[int, Arg("Location", choices="cloudapi/locations/list")] = 1,
        boottype: Literal["bios", "uefi"] = "bios",
        imagetype: Annotated[str, Arg("Type", help="Linux, Windows, Unix, BSD or Other.")] = "Linux",
        hotresize: bool = False,
        username: Annotated[str, Arg("Login", help="First login of its guests.")] = "",
        password: Annotated[str, Arg(help="Random for each machine if empty.", secret=True)] = "",
        account_id: OwnerId = 0,
    ) -> int:
        """Register an image; a node fetches it in the background (CREATING, then CREATED or ERROR). Returns its id."""
        if account_id and not Account.rows({"_id": account_id, "live": True}, fields=["_id"]):
            raise InvalidError(f"Account {account_id} does not exist.", detail={"argument": "accountId"})
        find_location(str(gid))
        check_url(url)
        created = self.service(Images).create(
            name=name,
            url=url,
            gid=gid,
            boot_type=boottype,
            type=imagetype,
            hot_resize=hotresize,
            username=username,
            password=password,
            account_id=account_id,
        )
        return int(created.id)

    @method(right=OPERATORS, readonly=True, http=("GET", "POST"), live=("image",))
    def list_(self, limit: Limit = 0, offset: Offset = 0) -> list[dict[str, Any]]:
        """List all images, in any state."""
        rows = self.service(Images).all_rows(skip=offset, limit=limit)
        accounts = names(Account, rows, "account_id")
        return [_answer(row) | {"accountName": accounts.get(row["account_id"], "")} for row in rows]

    @method(right=OPERATORS, readonly=True, http=("GET", "POST"), live=("image:{image_id}", "stack"))
    def get(self, image_id: ImageId) -> dict[str, Any]:
        """Show one image, with the stacks whose nodes have it."""
        row = one(Model, image_id)
        stacks = Stack.rows({"images": image_id}, fields=["name", "reference_id"])
        nodes = [{"id": stack["id"], "name": stack["name"], "nodeId": stack["reference_id"]} for stack in stacks]
        accounts = names(Account, [row], "account_id")
        return _answer(row) | {"accountName": accounts.get(row["account_id"], ""), "stacks": nodes}

    @method(right=OPERATORS, destructive=True)
    def delete(
        self,
        image_id: ImageId,
        reason: Reason = "",
        permanently: bool = False,  # noqa: ARG002 - no bin yet
    ) -> bool:
        """Delete an image that no machine uses, from all nodes."""
        self.service(Images).destroy(image_id, reason or f"Deleted by {self.call.principal.name}.")
        return True


def _answer(row: dict[str, Any]) -> dict[str, Any]:
    more = {"url": row["url"], "bootType": row["boot_type"], "hotResize": row["hot_resize"], "sha256": row["sha256"]}
    return answers.image(row) | more | {"gid": row["gid"]}
