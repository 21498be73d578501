"""Whole spaces are exported, imported and exchanged with a git remote."""

from __future__ import annotations

import base64
import io
import json
import stat
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from product import REPOSITORY, Product, running, wait_for

from history.conftest import SPACE, Pad
from portalfw.history.clone import Clone, Prepared, changed_tree, make_commit, new_objects
from portalfw.history.documents import GitObject
from portalfw.history.gitstore import GitStore
from portalfw.history.views import Author

YAML = "title: Fresh\nrights: {level1: RW}\n"


def zipped(files: dict[str, str], **attributes: int) -> str:
    """Return files as a zip file in base64; ``attributes`` are modes by path."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo("x")
            info.filename = name
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = attributes.get(name, 0) << 16
            archive.writestr(info, text)
    return base64.b64encode(kept.getvalue()).decode()


def files_of(data: str) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(data))) as archive:
        return {name: archive.read(name).decode("latin-1") for name in archive.namelist()}


def test_a_space_goes_out_and_comes_in(pad: Pad) -> None:
    """What is exported can be imported as a new space, by an administrator, and its pages are served."""
    data = pad.ask("spaces/export", pad.people.keeper)
    files = files_of(data)
    assert {"space.yaml", "Home.md", "Closed Book.md", "templates/Minutes.md"} <= files.keys()
    assert not [name for name in files if name.startswith(".git")]
    assert pad.refused("spaces/export")["status"] == 403
    assert pad.refused("spaces/import", pad.people.keeper, space="copy", data=data)["status"] == 403
    done = pad.ask("spaces/import", pad.product.token, space="copy", data=data)
    assert set(done["changed"]) == set(files)
    assert "Notes for the tests of editing." in pad.get("/copy").text
    rows = {row["name"]: row for row in pad.product.ask("system/spaces/list")}
    assert rows["copy"]["pages"] == rows[SPACE]["pages"]


def test_an_import_is_one_commit_over_what_is_there(pad: Pad, new_page: Any) -> None:
    """Files of the zip replace those of their name, in whatever letter case, and other pages stay."""
    name, other = new_page("old\n"), new_page("stays\n")
    before = pad.ask("get", page=name)["revision"]
    data = zipped({f"{name.upper()}.md": "new\n", "Imported Now.md": "here\n"})
    assert pad.refused("spaces/import", data=data)["status"] == 403
    done = pad.ask("spaces/import", pad.people.keeper, data=data, message="From afar")
    assert sorted(done["changed"]) == sorted([f"{name}.md", "Imported Now.md"])
    assert (pad.text(name), pad.text(other), pad.text("imported now")) == ("new\n", "stays\n", "here\n")
    folder = pad.product.state / "spaces" / SPACE
    log = ["git", "-C", str(folder), "log", "--format=%s %an", f"{before}..main"]
    assert subprocess.run(log, capture_output=True, text=True, check=True).stdout == "From afar notes-keeper\n"


UP = ("../evil.md", "/etc/evil.md", "a/../../evil.md", "..\\evil.md", "C:evil.md", ".files/../x.md", "a//b.md")
HIDDEN = (".git/config", "x/.git/hooks/post.md", ".files/.x.png", ".hidden.md")
OTHER = ("evil.py", ".files/x.html", "space.yaml/x.md", "big.md")


@pytest.mark.parametrize("name", [*UP, *HIDDEN, *OTHER])
def test_zip_files_cannot_reach_out(pad: Pad, name: str) -> None:
    """A name that leaves the space, hides, or holds what pages may not is refused, and nothing is taken."""
    text = "x" * (2**20 + 1) if name == "big.md" else "evil\n"
    error = pad.refused("spaces/import", pad.people.keeper, data=zipped({"Fine Page.md": "x", name: text}))
    assert error["status"] in {400, 409}, error
    assert pad.refused("get", page="Fine Page")["status"] == 404


def test_zip_bombs_and_links_are_refused(pad: Pad) -> None:
    """Symbolic links, too much, and what is no zip file at all are refused."""
    keeper = pad.people.keeper
    link = zipped({"Link.md": "/etc/passwd"}, **{"Link.md": stat.S_IFLNK | 0o777})
    bomb = zipped({f".files/{number}.txt": "\0" * 7 * 2**20 for number in range(11)})
    for data in (link, bomb, base64.b64encode(b"PK\x03\x04 not really").decode(), zipped({"A.md": "", "a.md": ""})):
        assert pad.refused("spaces/import", keeper, data=data)["status"] == 400
    new = {"space": "another", "data": zipped({"Home.md": "x"})}
    assert pad.refused("spaces/import", pad.product.token, **new)["status"] == 400
    for name in ("../x", "", "Restmachine", "x" * 50):
        given = {"space": name, "data": zipped({"space.yaml": YAML})}
        assert pad.refused("spaces/import", pad.product.token, **given)["status"] in {400, 404}


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("remote") / "manual.git"
    subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def connected(remote: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Give a product whose space ``manual`` has a remote."""
    content = tmp_path_factory.mktemp("content")
    for name, text in {"space.yaml": YAML, "Home.md": "one\n\ntwo\n\nthree\n"}.items():
        file = content / "spaces" / "manual" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    flags = ("--hypervisor", "test", "--content", str(REPOSITORY), "--content", str(content))
    with running(*flags, PORTALFW_SPACE_REMOTES=json.dumps({"manual": str(remote)})) as product:
        yield product


def elsewhere(remote: Path, folder: Path, name: str, text: str | None, link: str | None = None) -> None:
    """Commit a file in another clone of the remote, and push it."""

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=Elsa", "-c", "user.email=elsa@example.org", "-c", "core.hooksPath="]
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)

    folder.mkdir()
    git("clone", "-q", str(remote), ".")
    if text is not None:
        (folder / name).write_text(text)
    else:
        (folder / name).symlink_to(link or "/etc/passwd")
    git("add", "-A")
    git("commit", "-q", "-m", f"Elsa's {name}")
    git("push", "-q")


def test_push_pull_and_conflicts(connected: Product, remote: Path, tmp_path: Path) -> None:
    """Commits travel both ways; what both changed is listed, stays as it is here, and is settled before a push."""
    ask = lambda method, **given: connected.ask(f"system/{method}", space="manual", **given)  # noqa: E731 - short
    assert ask("spaces/status")["ahead"] == 1
    assert ask("spaces/push") is True
    assert ask("spaces/status") == {**ask("spaces/status"), "ahead": 0, "behind": 0}
    elsewhere(remote, tmp_path / "a", "Home.md", "one\n\ntwo\n\nthree of Elsa\n")
    assert connected.call("system/spaces/push", space="manual").status_code in {200, 409}
    assert ask("spaces/status")["behind"] == 1
    assert ask("spaces/pull")["changed"] == ["Home.md"]
    page = ask("pages/get", page="Home")
    assert page["text"] == "one\n\ntwo\n\nthree of Elsa\n"
    assert ask("pages/history", page="Home")[0]["author"] == "Elsa"
    ask("pages/save", page="Home", text="ours\n\ntwo\n\nthree of Elsa\n", base=page["revision"])
    elsewhere(remote, tmp_path / "b", "Home.md", "theirs\n\ntwo\n\nthree of Elsa\n")
    refused = connected.call("system/spaces/push", space="manual")
    assert (refused.status_code, "pull first" in refused.json()["message"]) == (409, True)
    ask("spaces/pull")
    assert [(row["page"], row["source"]) for row in ask("spaces/conflicts")] == [("Home", "remote")]
    assert "wait to be settled" in connected.call("system/spaces/push", space="manual").json()["message"]
    texts = ask("spaces/conflict", page="Home")
    assert texts["merge"].startswith("<<<<<<< yours\nours\n=======\ntheirs\n>>>>>>> theirs\n")
    page = ask("pages/get", page="Home")
    ask("pages/save", page="Home", text="both\n", base=page["revision"])
    assert ask("spaces/push") is True
    elsewhere(remote, tmp_path / "c", "Secret.md", None)
    linked = connected.call("system/spaces/pull", space="manual")
    assert (linked.status_code, "no plain file" in linked.json()["message"]) == (409, True)
    assert connected.call("system/pages/get", space="manual", page="Secret").status_code == 404


def test_who_may_use_remotes(pad: Pad) -> None:
    """Remotes need right A, their addresses are of other hosts, and passwords in them are not shown."""
    for method in ("status", "pull", "push", "export", "setRemote"):
        assert pad.refused(f"spaces/{method}")["status"] == 403
    keeper = pad.people.keeper
    for url in ("/etc", "file:///etc", "http://x/y", "ext::sh -c id", "-oProxyCommand=x:y", "git://x/y"):
        assert pad.refused("spaces/setRemote", keeper, url=url)["status"] == 400, url
    assert pad.refused("spaces/pull", keeper)["status"] == 404
    pad.ask("spaces/setRemote", keeper, url="https://bob:secret@127.0.0.1:9/x.git")
    (row,) = [row for row in pad.ask("spaces/list", keeper) if row["name"] == SPACE]
    assert row["remote"] == "https://***@127.0.0.1:9/x.git"
    assert [row["remote"] for row in pad.ask("spaces/list") if row["name"] == SPACE] == [None]
    error = pad.refused("spaces/pull", keeper)
    assert (error["status"], "secret" in str(error)) == (503, False)
    pad.ask("spaces/setRemote", keeper, url="")


KEPT = "title: Kept\nrights: {level1: RW, level3: RWA}\n"


def new_space(pad: Pad, name: str, **pages: str) -> Callable[..., Any]:
    """Make a space of some pages, and return what asks the system about it."""
    files = {"space.yaml": KEPT} | {f"{page}.md": text for page, text in pages.items()}
    pad.ask("spaces/import", pad.product.token, space=name, data=zipped(files))
    return lambda method, token=None, **given: pad.ask(method, token, **{"space": name, **given})


def test_settings_of_a_space(pad: Pad) -> None:
    """Who administers a space changes what it is called and who may enter, at once, as a commit of his name."""
    ask = new_space(pad, "settled", Home="x\n", Second="y\n")
    keeper, home = pad.people.keeper, "/settled/Home"
    assert ask("spaces/settings", pad.people.writer)["writes"] is False
    assert pad.refused("spaces/configure", space="settled", title="Mine")["status"] == 403
    assert pad.get(home, pad.people.reader).status_code == 403
    wish = {"title": "Well settled", "icon": "book", "order": 7, "rights": "level2: r\nuser:notes-keeper: RWA"}
    done = ask("spaces/configure", keeper, **wish)
    assert done["rules"] == [{"name": "level2", "letters": "R"}, {"name": "user:notes-keeper", "letters": "RWA"}]
    shown = pad.get(home, pad.people.reader).text
    assert "Well settled" in shown
    assert "/settled/Second" in shown
    assert pad.get(home).status_code == 403
    ask("spaces/configure", keeper, navigation="none")
    assert "/settled/Second" not in pad.get(home, pad.people.reader).text
    log = ["git", "-C", str(pad.product.state / "spaces" / "settled"), "log", "-1", "--format=%an"]
    assert subprocess.run(log, capture_output=True, text=True, check=True).stdout == "notes-keeper\n"
    assert ask("spaces/configure", keeper, **wish) == ask("spaces/settings", keeper)


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"title": "  "}, "must be of 1 to 100 characters"),
        ({"icon": "<b>"}, "must be a name of bootstrap-icons"),
        ({"navigation": "sideways"}, "navigation"),
        ({"rights": "level1: RX"}, "line 1: write a group"),
        ({"rights": "level1: R\n\nlevl2: R"}, "line 2: there is no group levl2"),
        ({"rights": "user:nobody.here: R"}, "line 1: there is no user nobody.here"),
        ({"rights": "login: R\nlogin: W"}, "line 2: login is there twice"),
    ],
)
def test_settings_that_cannot_be(pad: Pad, wish: dict[str, str], told: str) -> None:
    """A wrong setting is named with what it may be, and changes nothing."""
    before = pad.ask("spaces/settings")
    error = pad.refused("spaces/configure", pad.people.keeper, **wish)
    assert (error["status"], error["detail"]["argument"]) == (400, next(iter(wish)))
    assert told in error["message"]
    assert pad.ask("spaces/settings") == before


def test_a_deleted_space_comes_back_with_all_it_had(pad: Pad) -> None:
    """What is deleted is served, found and listed nowhere; restored, it has its pages, history and drafts again."""
    ask = new_space(pad, "doomed", Home="xylograph\n")
    keeper, found = pad.people.keeper, {"text": "xylograph", "kinds": ["page"]}
    ask("pages/save", page="Home", text="xylograph twice\n", base=ask("pages/get", page="Home")["revision"])
    ask("pages/saveDraft", page="Home", text="xylograph thrice\n")
    ask("pages/lock", page="Home")
    wait_for(lambda: pad.ask("search/find", **found)["groups"])
    assert pad.refused("spaces/delete", space="doomed")["status"] == 403
    ask("spaces/delete", keeper)
    assert pad.get("/doomed/Home", keeper).status_code == 404
    assert pad.refused("get", space="doomed", page="Home")["status"] == 404
    assert pad.ask("search/find", **found)["groups"] == []
    for method in ("spaces/list", "pages/drafts", "pages/locks"):
        assert "doomed" not in {row.get("space", row.get("name")) for row in pad.ask(method)}
    assert "/doomed" not in pad.get("/notes/Home").text
    taken = pad.refused("spaces/import", pad.product.token, space="doomed", data=zipped({"space.yaml": KEPT}))
    assert (taken["status"], "can be restored" in taken["message"]) == (409, True)
    assert pad.refused("spaces/restore", space="doomed")["status"] == 404
    ask("spaces/restore", keeper)
    assert "xylograph twice" in pad.get("/doomed/Home").text
    assert [row["action"] for row in ask("pages/history", page="Home")] == ["edited", "created"]
    assert ask("pages/draft", page="Home")["text"] == "xylograph thrice\n"
    assert pad.refused("spaces/purge", pad.product.token, space="doomed")["status"] == 404


def test_what_the_product_needs_stays(pad: Pad) -> None:
    """Shipped spaces that the product leads to, and the one in which people start, say why they cannot be deleted."""
    admin = pad.product.token
    for space, why in (("system", "accounts, search"), ("grid", "dashboards lead"), ("cbgrid", "people start here")):
        error = pad.refused("spaces/delete", admin, space=space)
        assert (error["status"], why in error["message"]) == (409, True), error


def test_a_purged_space_takes_nothing_from_others(database: Any, tmp_path: Path) -> None:
    """Objects that two spaces share stay when one of them is purged; what only that one had is gone."""
    assert database is not None
    one = GitStore(tmp_path / "one", lambda *_: None)
    for space, more in (("left", {}), ("right", {"Own.md": b"own\n"})):
        made = {"Home.md": b"shared\n", **more}
        one.create(space, lambda clone, made=made: first(clone, made))  # type: ignore[misc]  # a default binds it
    one.delete("right", "Right", "admin")
    one.purge("right")
    two = GitStore(tmp_path / "two", lambda *_: None)
    two.fetch("left")
    assert two.look("left", lambda view: view.read("Home.md")) == b"shared\n"
    assert {row["space"] for row in GitObject.rows({}, fields=["space"])} == {"left"}
    assert "right" not in two.spaces
    assert not (tmp_path / "one" / "right").exists()


def first(clone: Clone, files: dict[str, bytes]) -> Prepared:
    """Return the first commit of a space."""
    repo = clone.open()
    made = make_commit(repo, Author("a"), "first", changed_tree(repo, None, files), [])
    return Prepared(made, list(new_objects(repo, [made], [])))


def test_zip_files_in_a_browser(pad: Pad) -> None:
    """A zip file to save and the form that takes one do what the methods do; the page of a space offers them."""
    keeper = pad.people.keeper
    found = pad.get(f"/export/{SPACE}.zip", keeper)
    assert found.headers["Content-Type"] == "application/zip"
    assert "Home.md" in zipfile.ZipFile(io.BytesIO(found.content)).namelist()
    assert pad.get(f"/export/{SPACE}.zip").status_code == 403
    form: dict[str, Any] = {"data": {"space": "By-Form"}, "files": {"file": ("x.zip", found.content)}}
    address, headers = f"{pad.product.url}/export/import", {"Authorization": f"Bearer {pad.product.token}"}
    taken = requests.post(address, headers=headers, timeout=30, allow_redirects=False, **form)
    assert (taken.status_code, taken.headers["Location"]) == (303, "/by-form")
    refused = requests.post(address, headers=headers, data={"space": "x"}, timeout=30)
    assert (refused.status_code, "Choose a zip file" in refused.text) == (400, True)
    mine, theirs = pad.get(f"/system/Space?space={SPACE}", keeper).text, pad.get(f"/system/Space?space={SPACE}").text
    assert ("Change settings" in mine, "Change settings" in theirs) == (True, False)
    assert f"/export/{SPACE}.zip" in mine
