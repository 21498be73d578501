"""A wiki over real actors and the real dispatcher, and a space whose pages a test writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portalfw.auth.policy import Policy
from portalfw.auth.principal import GUEST, Principal
from portalfw.content import Content
from portalfw.errors import NotFoundError
from portalfw.events import EventBus
from portalfw.rest.declaration import Actor, method
from portalfw.rest.dispatch import Dispatcher
from portalfw.rest.registry import Registry
from portalfw.settings import REPOSITORY
from portalfw.wiki import PageView, Twin, Wiki
from portalfw.wiki.settings import Limits

CONTENT = Path(__file__).parent / "content"
USER = Principal("alice", frozenset({"user"}))
PLANNER = Principal("paula", frozenset({"user", "planners"}))
ADMIN = Principal("root", frozenset({"admin"}))
ROWS: dict[int, dict[str, Any]] = {
    3: {"id": 3, "name": "web-1", "status": "HALTED", "memory": 512, "created": 1700000000.0, "tags": ["a", "b"]},
    4: {"id": 4, "name": "db", "status": "RUNNING", "memory": 2048, "created": 1700000100.0, "tags": []},
}


class Machines(Actor, app="demo"):
    """Machines, kept in a dictionary."""

    @method(right="login", readonly=True, http=("GET", "POST"), live=("machine",))
    def list(self, limit: int = 50, offset: int = 0) -> list[dict[str, Any]]:
        """List machines."""
        return list(ROWS.values())[offset : offset + limit]

    @method(right="login", readonly=True, http=("GET", "POST"), live=("machine:{machine_id}",))
    def get(self, machine_id: int) -> dict[str, Any]:
        """Return one machine."""
        if machine_id not in ROWS:
            raise NotFoundError(f"machine {machine_id} does not exist")
        return ROWS[machine_id]

    @method(right="login")
    def create(self, name: str, memory: int = 512) -> int:  # noqa: ARG002 - a declaration
        """Create a machine."""
        raise AssertionError("rendering must not call what changes something")

    @method(right="login")
    def start(self, machine_id: int) -> bool:  # noqa: ARG002 - a declaration
        """Start a machine."""
        raise AssertionError("rendering must not call what changes something")

    @method(right="group:admin", destructive=True)
    def delete(self, machine_id: int) -> bool:  # noqa: ARG002 - a declaration
        """Delete a machine and its disks."""
        raise AssertionError("rendering must not call what changes something")

    @method(right="group:admin", readonly=True, http=("GET", "POST"))
    def secrets(self) -> list[str]:
        """List what only administrators may see."""
        return ["swordfish"]


DISPATCHERS: list[Dispatcher] = []


@dataclass(frozen=True)
class WikiSetting:
    default_space: str = "demo"
    macro_deadline: float = 5.0


def make_wiki(
    *folders: Path,
    deadline: float = 5.0,
    actors: tuple[type[Actor], ...] = (),
    changes: EventBus | None = None,
    **limits: Any,
) -> Wiki:
    """Return a wiki over the repository's macros, the tests' content and further folders."""
    registry, policy = Registry(), Policy()
    for actor in (Machines, *actors):
        registry.add(actor)
    dispatcher = Dispatcher(None, registry, policy)  # type: ignore[arg-type]  # these actors need nothing of a runtime
    DISPATCHERS.append(dispatcher)
    content = Content([REPOSITORY, CONTENT, *folders])
    setting = WikiSetting(macro_deadline=deadline)
    return Wiki(content, dispatcher, setting, Limits(rescan_seconds=0, **limits), changes)


class Pad:
    """A space of the test's own, whose pages it writes."""

    def __init__(self, folder: Path) -> None:
        """Make the space in ``folder``."""
        self.space = folder / "spaces" / "pad"
        self.space.mkdir(parents=True)
        (self.space / "space.yaml").write_text("title: Pad\nrights: {user: R}\n")
        self.folder = folder
        self.options: dict[str, Any] = {}
        self._wiki: Wiki | None = None

    @property
    def wiki(self) -> Wiki:
        self._wiki = self._wiki or make_wiki(self.folder, **self.options)
        return self._wiki

    def view(self, text: str, /, *, name: str = "Page", by: Principal = USER, **params: str) -> PageView:
        """Write the page ``name`` and show it."""
        (self.space / f"{name}.md").write_text(text, encoding="utf-8")
        view = self.wiki.view(by, f"/pad/{name}", params)
        assert isinstance(view, PageView)
        return view

    def html(self, text: str, /, **options: Any) -> str:
        """Write a page and return its HTML."""
        view = self.view(text, **options)
        assert view.fault is None, view.fault
        return str(view.html)

    def twin(self, path: str, by: Principal = USER, **params: str) -> Twin:
        """Ask for an answer without a frame."""
        answer = self.wiki.view(by, f"/pad/{path}", params)
        assert isinstance(answer, Twin)
        return answer


__all__ = ["ADMIN", "DISPATCHERS", "GUEST", "PLANNER", "ROWS", "USER", "Pad", "make_wiki"]
