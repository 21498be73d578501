"""Images: what machines start from, fetched once by each node that needs them."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from actors.cloud.checks import checked_name
from actors.cloud.models import Image, Machine, Stack
from actors.cloud.nodes import Nodes
from actors.cloud.operations import Operation, Operations
from actors.cloud.placement import Placement
from portalfw.errors import ConflictError, InvalidError, NotFoundError

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

FETCH_TIMEOUT = 1800.0  # seconds for a large image over a slow line
DELETE_TIMEOUT = 60.0
GIB = 1 << 30


class Images:
    """Registers images, brings them to nodes, and removes them."""

    def __init__(self, runtime: Runtime) -> None:
        """Bind to the process's services."""
        self._runtime = runtime
        self._nodes = runtime.service(Nodes)
        self._placement = runtime.service(Placement)
        self._operations = runtime.service(Operations)

    def create(self, *, name: str, url: str, gid: int, **others: Any) -> Image:
        """Register an image and let a node fetch it in the background: CREATING, then CREATED or ERROR."""
        operation = self._operations.create(Image, "create", name=checked_name(name), url=url, gid=gid, **others)
        self._runtime.spawn(self.import_, operation)
        return operation.document

    def import_(self, operation: Operation[Image]) -> None:
        """Fetch a new image by the emptiest node and learn its size and digest; the operation ends with it."""
        with operation:
            image = operation.document
            operation.step("waiting for a node", 5)
            stack = self._placement.candidates(image.gid)[0]
            operation.step(f"{stack['name']} fetches {image.url}", 10)
            facts = operation.run(
                stack["reference_id"], "libvirt/fetchimage", timeout=FETCH_TIMEOUT, image=self.spec(image)
            )
            Stack.collection().update_one({"_id": stack["id"]}, {"$addToSet": {"images": image.id}})
            size = max(1, math.ceil(facts.get("virtual_size", 0) / GIB))
            operation.end("CREATED", size=size, sha256=facts.get("sha256") or image.sha256)

    def bring(self, operation: Operation[Machine], image: Image, stack_id: int) -> None:
        """Make sure that a stack's node has an image, for a machine that is being created.

        :raises JobFailedError: if the node cannot fetch it.
        """
        stack = Stack.get(stack_id)
        operation.step(f"bringing image {image.name} to {stack.name}", 20)
        # A node that has it answers at once; asking it is surer than our own memory of what it once had.
        operation.run(stack.reference_id, "libvirt/fetchimage", timeout=FETCH_TIMEOUT, image=self.spec(image))
        Stack.collection().update_one({"_id": stack_id}, {"$addToSet": {"images": image.id}})

    def usable(self, image_id: int, account_id: int) -> Image:
        """Return an image from which an account may make machines.

        :raises InvalidError: if it does not exist, is not ready, or belongs to another account.
        """
        try:
            image = Image.get(image_id)
        except NotFoundError as error:
            raise InvalidError(error.message, detail={"argument": "imageId"}) from error
        if image.account_id not in {0, account_id}:
            raise InvalidError(f"Image {image_id} belongs to another account.", detail={"argument": "imageId"})
        if image.status != "CREATED":
            raise InvalidError(
                f"Image {image_id} is {image.status}; it must be CREATED.", detail={"argument": "imageId"}
            )
        return image

    def destroy(self, image_id: int, reason: str) -> None:
        """Remove an image from all nodes.

        :raises ConflictError: if machines use it, naming them: their disks lean on it.
        """
        with self._operations.begin(Image, image_id, "destroy") as operation:
            self.remove(operation, reason)

    def remove(self, operation: Operation[Image], reason: str) -> None:
        """Do the work of :meth:`destroy` within its operation."""
        image = operation.document
        users = Machine.rows({"image_id": image.id, "$or": [{"live": True}, {"on_node": True}]}, fields=["name"])
        if users:
            raise ConflictError(
                f"Image {image.name} is used by machines {', '.join(row['name'] for row in users[:10])}.",
                detail={"machines": [row["id"] for row in users]},
            )
        for stack in Stack.rows({"images": image.id}, fields=["reference_id"]):
            operation.run(
                stack["reference_id"], "libvirt/deleteimage", timeout=DELETE_TIMEOUT, volume=self.spec(image)["volume"]
            )
            Stack.collection().update_one({"_id": stack["id"]}, {"$pull": {"images": image.id}})
        operation.end("DESTROYED", reason, live=False, deletion_time=time.time())

    def spec(self, image: Image) -> dict[str, Any]:
        """Return the description of an image that a node is given."""
        return {"volume": self._nodes.names.image(image.id), "url": image.url, "sha256": image.sha256 or None}

    def ready(self, account_id: int) -> dict[str, Any]:
        """Return the query for the ready images of everybody and of one account (0 for none)."""
        return {"status": "CREATED", "account_id": {"$in": [0, account_id]}}
