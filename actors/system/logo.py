"""The installation's logo."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, TypedDict

from portalfw.errors import InvalidError
from portalfw.logo import LARGEST, ONE, LogoMark, delete_logo, logo_address, store_logo
from portalfw.logo import Logo as Document
from portalfw.rest import Actor, Arg, method

LONGEST = LARGEST * 4 // 3 + 1000  # characters that are read: more than the largest picture has in base64


class LogoFacts(TypedDict):
    """Which logo there is; empty and null without one."""

    address: str
    media_type: str
    bytes: int
    updated: float | None
    user: str


class Logo(Actor, app="system"):
    """The picture at the top of every page."""

    @method(right="guest", http=("GET", "POST"), readonly=True, live=("logo",))
    def get(self) -> LogoFacts:
        """Say which logo there is and where it is served."""
        rows = Document.rows({"_id": ONE}, limit=1)
        if not rows:
            return {"address": "", "media_type": "", "bytes": 0, "updated": None, "user": ""}
        row = rows[0]
        return {
            "address": logo_address(row["hash"]),
            "media_type": row["media_type"],
            "bytes": len(row["data"]),
            "updated": row["updated"],
            "user": row["user"],
        }

    @method(right="group:admin", title="Set logo")
    def set_(
        self,
        image: Annotated[str, Arg("Picture", multiline=True, help="PNG, JPEG or SVG, in base64 or as a data: URL.")],
    ) -> str:
        """Show a picture at the top of every page; return where it is served."""
        found = store_logo(_decoded(image), self.call.principal.name)
        self.service(LogoMark).forget()
        return found

    @method(right="group:admin", destructive=True, title="Delete logo")
    def delete(self) -> bool:
        """Show the product's own mark again; tell whether there was another."""
        found = delete_logo()
        self.service(LogoMark).forget()
        return found


def _decoded(image: str) -> bytes:
    text = image.partition(",")[2] if image.startswith("data:") else image
    try:
        return base64.b64decode("".join(text[:LONGEST].split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidError(f"image: it is no picture in base64: {error}.", detail={"argument": "image"}) from error
