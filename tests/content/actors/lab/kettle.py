"""An actor that only tests call."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from portalfw.errors import ConflictError
from portalfw.rest import Actor, Arg, method


class Kettle(Actor, app="lab"):
    """Boils what it is given."""

    @method(right="guest", http=("GET", "POST"), readonly=True)
    def echo(
        self,
        cup_count: int,
        hot: bool = True,
        label: str = "",
        names: list[str] | None = None,
        extra: dict[str, Any] | None = None,
        kind: Literal["tea", "coffee"] = "tea",
    ) -> dict[str, Any]:
        """Return the arguments as they arrived."""
        return {"cupCount": cup_count, "hot": hot, "label": label, "names": names, "extra": extra, "kind": kind}

    @method(right="login")
    def lock(self, key: Annotated[str, Arg("Key", secret=True)], cup_id: int = 0) -> bool:
        """Take a secret."""
        return bool(key) and cup_id >= 0

    @method(right="group:level2")
    def overheat(self) -> bool:
        """Fail in a way nobody foresaw."""
        raise ZeroDivisionError("the element burnt out")

    @method(right="login")
    def boil(self) -> bool:
        """Refuse because of a state."""
        raise ConflictError("Kettle 1 is HOT; this needs COLD.", detail={"status": "HOT"})
