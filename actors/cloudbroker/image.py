"""Images, for operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict

from actors.cloud.directory import names, one
from actors.cloud.images import Images
from actors.cloud.locations import find_location
from actors.cloud.models import Account, Stack
from actors.cloud.models import Image as Model
from actors.cloudapi.answers.images import ImageRow, image
from actors.cloudapi.columns import IMAGES
from actors.cloudbroker.arguments import OPERATORS, ImageId, OwnerId, Reason
from actors.cloudbroker.image_source import check_url
from portalfw.errors import InvalidError
from portalfw.rest import Actor, Arg, Listing, NameOf, method

COLUMNS = IMAGES.with_(
    sort="id",
    url="url",
    bootType="boot_type",
    hotResize="hot_resize",
    gid="gid",
    accountName=NameOf(Account, "account_id"),
)


class OperatorImageRow(ImageRow):
    """An image as operators' lists show it."""

    url: str  # where it came from
    bootType: str  # bios or uefi
    hotResize: bool
    sha256: str  # empty while unknown
    gid: int
    accountName: str


class StackWithImage(TypedDict):
    """A stack whose node has an image."""

    id: int
    name: str
    nodeId: int


class OperatorImageDetail(OperatorImageRow):
    """One image as operators see it."""

    stacks: list[StackWithImage]


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
    def list_(self, listing: Annotated[Listing, COLUMNS]) -> list[OperatorImageRow]:
        """List all images, in any state."""
        rows = listing.of(Model, {"live": True})
        accounts = names(Account, rows, "account_id")
        return rows.answered(_answer(row, accounts) for row in rows)

    @method(right=OPERATORS, readonly=True, http=("GET", "POST"), live=("image:{image_id}", "stack"))
    def get(self, image_id: ImageId) -> OperatorImageDetail:
        """Show one image, with the stacks whose nodes have it."""
        row = one(Model, image_id)
        stacks = Stack.rows({"images": image_id}, fields=["name", "reference_id"])
        return {
            **_answer(row, names(Account, [row], "account_id")),
            "stacks": [{"id": stack["id"], "name": stack["name"], "nodeId": stack["reference_id"]} for stack in stacks],
        }

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


def _answer(row: dict[str, Any], accounts: Mapping[int, str]) -> OperatorImageRow:
    return {
        **image(row),
        "url": row["url"],
        "bootType": row["boot_type"],
        "hotResize": row["hot_resize"],
        "sha256": row["sha256"],
        "gid": row["gid"],
        "accountName": accounts.get(row["account_id"], ""),
    }
