"""Reading needs R, writing W, changing rights A, of the page as it is and as it was."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
import requests

from history.conftest import SPACE, Pad

Make = Callable[..., str]
DATA = base64.b64encode(b"text").decode()
READING: dict[str, dict[str, Any]] = {
    "get": {},
    "history": {},
    "blame": {},
    "backlinks": {},
    "attachments": {},
    "draft": {},
    "preview": {"text": "x"},
    "diff": {"old": "REVISION"},
    "get ": {"revision": "REVISION"},
}
WRITING: dict[str, dict[str, Any]] = {
    "save": {"text": "x\n", "base": "REVISION"},
    "revert": {"revision": "REVISION"},
    "rename": {"name": "Another Name"},
    "move": {"to": "grid"},
    "delete": {},
    "lock": {},
    "saveDraft": {"text": "x"},
    "attach": {"name": "x.txt", "data": DATA},
    "deleteAttachment": {"name": "x.txt"},
}


def arguments(given: dict[str, Any], revision: str) -> dict[str, Any]:
    return {name: revision if value == "REVISION" else value for name, value in given.items()}


@pytest.mark.parametrize("method", [*READING, *WRITING])
def test_who_may_do_what_to_a_page(pad: Pad, new_page: Make, method: str) -> None:
    """A guest signs in, a stranger may nothing, a reader reads, and of a closed page only its own rights count."""
    name, closed = new_page(), new_page("---\nrights: {level1: '', level2: ''}\n---\nx\n", token=pad.people.keeper)
    for page, token, fine in (
        (name, pad.people.stranger, False),
        (name, pad.people.reader, method in READING),
        (closed, pad.people.reader, False),
        (closed, pad.people.writer, False),
    ):
        revision = pad.ask("get", pad.people.keeper, page=page)["revision"]
        given = arguments({**READING, **WRITING}[method], revision)
        answer = pad.call(method.strip(), token, page=page, **given)
        assert answer.status_code == (200 if fine else 403), f"{page} {answer.status_code} {answer.text}"
    guest = requests.post(
        f"{pad.product.url}/restmachine/system/pages/{method.strip()}", json={"space": SPACE}, timeout=9
    )
    assert guest.status_code in {400, 401}


def test_a_space_that_one_may_not_write_takes_no_page(pad: Pad) -> None:
    """Creating needs W on the space, restoring too."""
    for method, given in (("create", {"text": "x"}), ("restore", {}), ("attach", {"name": "x.txt", "data": DATA})):
        page = {} if method == "attach" else {"page": "Not Mine"}
        assert pad.refused(method, pad.people.reader, **page, **given)["status"] == 403


def test_rights_are_changed_by_who_administers(pad: Pad, new_page: Make) -> None:
    """Who may write cannot open, close or take over a page by its front matter."""
    name = new_page("x\n")
    base = pad.ask("get", page=name)["revision"]
    text = "---\nrights: {guest: R}\n---\nx\n"
    assert pad.refused("save", page=name, text=text, base=base)["status"] == 403
    assert pad.refused("create", page="Opened", text=text)["status"] == 403
    saved = pad.ask("save", pad.people.keeper, page=name, text=text, base=base)
    assert requests.get(f"{pad.product.url}/{SPACE}/{name}", timeout=10).status_code == 200
    assert pad.refused("save", page=name, text="x\n", base=saved["revision"])["status"] == 403
    assert pad.refused("revert", page=name, revision=base)["status"] == 403
    pad.rewrite(name, text + "more\n")


def test_what_was_closed_stays_closed(pad: Pad, new_page: Make) -> None:
    """A revision that one could not read then is not read now; one that one could is not, once the page is closed."""
    name = new_page("open\n")
    opened = pad.ask("get", page=name)["revision"]
    keeper = pad.people.keeper
    closing = "---\nrights: {level1: ''}\n---\nsecret\n"
    closed = pad.ask("save", keeper, page=name, text=closing, base=opened)["revision"]
    for method, given in (
        ("get", {"revision": opened}),
        ("diff", {"old": opened}),
        ("history", {}),
        ("revert", {"revision": opened}),
    ):
        assert pad.refused(method, page=name, **given)["status"] == 403
    pad.ask("save", keeper, page=name, text="open again\n", base=closed)
    assert pad.ask("get", page=name, revision=opened)["text"] == "open\n"
    assert pad.refused("get", page=name, revision=closed)["status"] == 403
    assert pad.refused("diff", page=name, old=opened, new=closed)["status"] == 403
    assert closed not in {row["revision"] for row in pad.ask("history", page=name)}
    assert closed in {row["revision"] for row in pad.ask("history", keeper, page=name)}


def test_lists_leave_out_what_may_not_be_read(pad: Pad, new_page: Make) -> None:
    """Recent changes, backlinks, orphans, locks and files name no page that the viewer may not read."""
    keeper = pad.people.keeper
    target = new_page("t\n")
    closed = new_page(f"---\nrights: {{level1: ''}}\n---\n[x]({target}) [y](Only Wanted There)\n", token=keeper)
    pad.ask("lock", keeper, page=closed)
    pad.ask("attach", keeper, page=closed, name="x.txt", data=DATA)
    for method in ("recent", "orphans", "wanted", "locks", "attachments"):
        seen = str(pad.ask(method, limit=500))
        assert closed not in seen, method
        assert "Only Wanted There" not in seen
        assert closed in str(pad.ask(method, keeper, limit=500)), method
    assert pad.ask("backlinks", page=target) == []
    assert pad.get(f"/{SPACE}/.files/{closed}/x.txt").status_code == 403
    assert pad.get(f"/{SPACE}/.files/{closed}/x.txt", keeper).status_code == 200
    pad.ask("delete", keeper, page=closed)
    assert pad.refused("history", page=closed)["status"] == 403
    assert pad.refused("restore", page=closed)["status"] == 403
    assert closed not in str(pad.ask("recent", limit=500))
