"""What fails in every way that nobody foresaw."""

from __future__ import annotations

from portalfw.extension import duty
from portalfw.rest import Actor, method
from portalfw.runtime import Runtime


class Pot(Actor, app="faulty"):
    """A pot with a crack."""

    @method(right="login")
    def boil(self, secret: str = "") -> bool:
        """Fail."""
        raise ZeroDivisionError("the handle broke off" + secret[:0])

    @method(right="login", readonly=True, http=("GET", "POST"))
    def look(self) -> bool:
        """Fail while a page reads."""
        raise LookupError("it is dark")

    @method(right="login")
    def simmer(self) -> bool:
        """Fail in the background."""
        self.runtime.spawn(leak)
        return True

    @method(right="login")
    def work(self, script: str) -> int:
        """Give a node work that fails."""
        return self.runtime.dal.role("node").submit(script).id


def leak() -> None:
    """Fail where nobody waits."""
    raise OSError("it ran out")


@duty(every=0.5)
def stir(runtime: Runtime) -> None:
    """Fail again and again."""
    raise RuntimeError(f"the spoon of {type(runtime).__name__} is too short")
