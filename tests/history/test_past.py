"""What pages were can be listed, compared and brought back; links follow pages that move."""

from __future__ import annotations

import base64
from collections.abc import Callable

import requests

from history.conftest import SPACE, Pad

Make = Callable[..., str]
PNG = b"\x89PNG\r\n\x1a\n of a test"


def attach(pad: Pad, page: str | None, name: str, data: bytes = PNG) -> str:
    """Attach a file; return its address."""
    return str(pad.ask("attach", page=page, name=name, data=base64.b64encode(data).decode())["address"])


def test_history_is_paged_and_names_authors(pad: Pad, new_page: Make) -> None:
    """Each save is a row with author, message and action; pages of the list follow each other."""
    name = new_page("0\n")
    for number in range(1, 5):
        pad.rewrite(name, f"{number}\n", message=f"to {number}")
    rows = pad.ask("history", page=name)
    assert [row["message"] for row in rows] == ["to 4", "to 3", "to 2", "to 1", f"Create {name}"]
    assert [row["action"] for row in rows] == ["edited"] * 4 + ["created"]
    assert {row["author"] for row in rows} == {"notes-writer"}
    paged = [row for offset in (0, 2, 4) for row in pad.ask("history", page=name, limit=2, offset=offset)]
    assert [row["revision"] for row in paged] == [row["revision"] for row in rows]
    assert pad.ask("get", page=name, revision=rows[2]["revision"])["text"] == "2\n"
    assert pad.refused("get", page=name, revision="0" * 40)["status"] == 404
    assert pad.refused("get", page=name, revision="HEAD")["status"] == 404


def test_differences_go_down_to_words(pad: Pad, new_page: Make) -> None:
    """A difference has hunks of lines with numbers, and within lines the words that changed."""
    name = new_page("".join(f"line {number} stays\n" for number in range(20)))
    first = pad.ask("get", page=name)
    pad.rewrite(name, first["text"].replace("line 9 stays", "line 9 changes") + "a last line\n")
    found = pad.ask("diff", page=name, old=first["revision"])
    assert (found["added"], found["removed"], len(found["hunks"])) == (2, 1, 2)
    lines = [line for line in found["hunks"][0]["lines"] if line["kind"] != "same"]
    assert [(line["kind"], line["old"], line["new"]) for line in lines] == [("removed", 10, None), ("added", None, 10)]
    assert [piece["text"] for line in lines for piece in line["pieces"] if piece["changed"]] == ["stays", "changes"]
    for line in lines:
        assert "".join(piece["text"] for piece in line["pieces"]) == line["text"]


def test_revert_and_blame(pad: Pad, new_page: Make) -> None:
    """A revert is a new revision with the old text; blame says who brought each line."""
    name = new_page("one\ntwo\n")
    first = pad.ask("get", page=name)["revision"]
    second = pad.rewrite(name, "one\n2\n")["revision"]
    blamed = pad.ask("blame", page=name)
    assert [(row["start"], row["lines"], row["revision"]) for row in blamed] == [(1, 1, first), (2, 1, second)]
    reverted = pad.ask("revert", page=name, revision=first)
    assert (reverted["text"], reverted["changed"]) == ("one\ntwo\n", True)
    assert len(pad.ask("history", page=name)) == 3


def test_rename_takes_links_and_files_along(pad: Pad, new_page: Make) -> None:
    """Links in pages of all spaces that the author may write follow; the rest are told; history goes on."""
    name = new_page("[me]({0})\n")
    pad.rewrite(name, f"[me]({name}) ![p](.files/{name.replace(' ', '%20')}/p.png)\n")
    attach(pad, name, "p.png")
    linking = new_page(f"---\nparent: {name}\n---\n[a]({name}?x=1) `[code]({name})` {{{{include {name}}}}}\n")
    pad.ask(
        "create", pad.people.keeper, page=f"Private to {name}", text=f"---\nrights: {{level1: ''}}\n---\n[x]({name})\n"
    )
    moved = pad.ask("rename", page=name.upper(), name=f"New {name}")
    assert moved["rewritten"] == [{"space": SPACE, "page": linking, "address": f"/{SPACE}/{linking}"}]
    assert (moved["left"], moved["unseen"]) == ([], 1)
    text = pad.text(linking)
    assert text == f"---\nparent: New {name}\n---\n[a](New {name}?x=1) `[code]({name})` {{{{include New {name}}}}}\n"
    new = f"New {name}"
    assert pad.text(new) == f"[me]({new}) ![p](.files/{new.replace(' ', '%20')}/p.png)\n"
    assert pad.get(f"/{SPACE}/.files/{new}/p.png").content == PNG
    assert pad.get(f"/{SPACE}/.files/{name}/p.png").status_code == 404
    assert pad.get(f"/{SPACE}/{name}").status_code == 404
    rows = pad.ask("history", page=new)
    assert [row["action"] for row in rows] == ["renamed", "edited", "created"]
    assert rows[0]["before"] == name
    assert pad.ask("get", page=new, revision=rows[-1]["revision"])["text"] == "[me]({0})\n"


LINKS = """---
params:
  page: str?
actions: |
  {{{{actions
  - {{href: "{0}?id=${{id}}", label: Look}}
  }}}}
---
[a]({0}.md#part) [b](../docs/{0}.md) [c](/notes/{0}) [d]({0}?id=${{rows[0].get("id")}}) [e]({0} ${{id}})

{{{{table api:system/x/y more:'All -> {0}?a=b'
columns:
  Name: {{field: name, link: '{0}?id={{id}}'}}
  Assigned to: {0}
  Other: name -> {0}?id={{id}}
}}}}
"""


def test_rename_follows_links_however_they_are_written(pad: Pad, new_page: Make) -> None:
    """Folders and .md of links between documents stay; links with queries made by expressions are known too."""
    name, key = new_page(), "Plainer%20Name"
    linking = new_page(LINKS.format(name))
    pad.ask("rename", page=name, name="Plainer Name")
    expected = LINKS.format("Plainer Name")
    expected = expected.replace("Plainer Name.md", f"{key}.md").replace("(Plainer Name ${id})", f"({name} ${{id}})")
    assert pad.text(linking) == expected.replace("Assigned to: Plainer Name", f"Assigned to: {name}")


def test_rename_to_another_letter_case_or_a_taken_name(pad: Pad, new_page: Make) -> None:
    """A page can change its letter case, but not take another page's name."""
    name, other = new_page(), new_page()
    assert pad.ask("rename", page=name, name=name.upper())["page"] == name.upper()
    assert pad.get(f"/{SPACE}/{name}").status_code == 200
    assert pad.refused("rename", page=name, name=other.lower())["status"] == 409
    assert pad.refused("rename", page=name, name="../x")["status"] == 400


def test_move_to_another_space(pad: Pad, new_page: Make) -> None:
    """A page moves with its files; links to it and in it lead where they led before."""
    target = new_page("stays\n")
    name = new_page(f"[t]({target}) ![p](.files/x/p.png)\n")
    linking = new_page(f"[a]({name})\n")
    attach(pad, name, "p.png")
    moved = pad.ask("move", page=name, to="grid")
    assert moved["address"] == f"/grid/{name}"
    assert pad.text(linking) == f"[a](/grid/{name})\n"
    assert pad.product.ask("system/pages/get", space="grid", page=name)["text"] == (
        f"[t](/{SPACE}/{target}) ![p](/{SPACE}/.files/x/p.png)\n"
    )
    assert pad.get(f"/{SPACE}/{name}").status_code == 404
    assert pad.get(f"/grid/.files/{name}/p.png").content == PNG
    assert pad.refused("move", page=target, to="nowhere")["status"] == 404
    assert pad.refused("move", page=target, to="system")["status"] == 403
    assert pad.text(target) == "stays\n"


def test_delete_and_restore(pad: Pad, new_page: Make) -> None:
    """A deleted page is gone with its files, its history can be read, and it comes back whole."""
    name = new_page("precious\n")
    attach(pad, name, "p.png")
    pad.ask("delete", page=name, message="Not needed")
    assert pad.get(f"/{SPACE}/{name}").status_code == 404
    assert pad.get(f"/{SPACE}/.files/{name}/p.png").status_code == 404
    rows = pad.ask("history", page=name)
    assert [row["action"] for row in rows] == ["deleted", "created"]
    assert pad.ask("get", page=name, revision=rows[1]["revision"])["text"] == "precious\n"
    assert pad.ask("restore", page=name.upper())["text"] == "precious\n"
    assert pad.get(f"/{SPACE}/.files/{name}/p.png").content == PNG
    assert pad.refused("restore", page=name)["status"] == 409
    assert pad.refused("restore", page="Never Was")["status"] == 404


def test_saving_a_page_that_is_gone_loses_nothing(pad: Pad, new_page: Make) -> None:
    """Who saves what another deleted gets the text back in the conflict."""
    name = new_page()
    base = pad.ask("get", page=name)["revision"]
    pad.ask("delete", page=name)
    error = pad.refused("save", page=name, text="my work\n", base=base)
    assert (error["status"], error["detail"]["mine"], error["detail"]["theirs"]) == (409, "my work\n", None)


def test_backlinks_wanted_and_orphans(pad: Pad, new_page: Make) -> None:
    """Links and includes are known at once after each save, wherever they stand."""
    target, lonely = new_page("target\n"), new_page("[self](nobody)\n")
    source = new_page(f"[one]({target}) [two](Missing {target}) ![p](plan.png) {{{{include {target}}}}}\n")
    ref = {"space": SPACE, "page": source, "address": f"/{SPACE}/{source}"}
    assert pad.ask("backlinks", page=target) == [ref]
    wanted = {row["page"]: row for row in pad.ask("wanted", limit=0, filter={"space": f"={SPACE}"})}
    assert wanted[f"Missing {target}"]["linkedFrom"] == [ref]
    assert "plan.png" not in wanted
    orphans = {row["page"] for row in pad.ask("orphans", limit=0)}
    assert lonely in orphans
    assert target not in orphans
    pad.rewrite(source, "nothing any more\n")
    assert pad.ask("backlinks", page=target) == []


def test_recent_changes_of_all_spaces(pad: Pad, new_page: Make) -> None:
    """The latest changes come first, in spaces that the viewer may read only."""
    name = new_page("x\n")
    pad.rewrite(name, "y\n", message="Because")
    pad.ask("delete", page=name)
    rows = [row for row in pad.ask("recent", space=SPACE) if row["page"] == name]
    assert [row["action"] for row in rows] == ["deleted", "edited", "created"]
    assert rows[1]["message"] == "Because"
    spaces = {row["space"] for row in pad.product.ask("system/pages/recent", limit=500)}
    assert SPACE in spaces
    answer = pad.product.call("system/pages/recent", pad.people.stranger)
    assert name not in {row["page"] for row in answer.json()}


def test_attachments(pad: Pad, new_page: Make) -> None:
    """Files are kept as sent and handed out harmlessly; another of the name must be meant; wrong ones are refused."""
    name = new_page()
    address = attach(pad, name, "plan b.png")
    answer = pad.get(address)
    assert (answer.content, answer.headers["Content-Type"]) == (PNG, "image/png")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert pad.get(address, allow_redirects=False).headers["ETag"]
    again = base64.b64encode(PNG + b"2").decode()
    assert pad.refused("attach", page=name, name="PLAN B.png", data=again)["status"] == 409
    pad.ask("attach", page=name, name="plan b.png", data=again, replace=True)
    assert pad.get(address).content == PNG + b"2"
    svg = attach(pad, None, "x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    assert "sandbox" in pad.get(svg).headers["Content-Security-Policy"]
    zipped = attach(pad, None, "x.zip", b"PK")
    assert pad.get(zipped).headers["Content-Disposition"] == "attachment"
    for wrong, data in {"x.html": b"<p>", "x.png": b"<html>", "../x.png": PNG, "x": b"x", "y.png": b""}.items():
        error = pad.refused("attach", page=name, name=wrong, data=base64.b64encode(data).decode())
        assert error["status"] == 400, wrong
    assert pad.refused("attach", page=name, name="z.png", data="not base64!")["status"] == 400
    assert [row["name"] for row in pad.ask("attachments", page=name)] == ["plan b.png"]
    pad.ask("deleteAttachment", page=name, name="plan b.png")
    assert pad.get(address).status_code == 404


def test_no_way_out_of_the_folder_of_files(pad: Pad) -> None:
    """Paths that climb, and files of the repository, are not found."""
    for path in (
        "..%2fspace.yaml",
        "%2e%2e/space.yaml",
        "../../admin-password",
        "..%2f..%2f.git/config",
        "a//b",
        ".git/config",
    ):
        session = requests.Session()
        request = requests.Request("GET", f"{pad.product.url}/{SPACE}/.files/x").prepare()
        request.url = f"{pad.product.url}/{SPACE}/.files/{path}"
        request.headers["Authorization"] = f"Bearer {pad.people.writer}"
        assert session.send(request, timeout=10).status_code == 404, path


def test_drafts_and_locks(pad: Pad, new_page: Make) -> None:
    """A draft waits for its writer until the save; a lock says who edits, can be taken over, and that is told."""
    name = new_page()
    pad.ask("saveDraft", page=name, text="half\n", base="b")
    assert pad.ask("draft", page=name)["text"] == "half\n"
    assert pad.ask("draft", pad.people.keeper, page=name) is None
    assert name in {row["page"] for row in pad.ask("drafts")}
    pad.rewrite(name, "whole\n")
    assert pad.ask("draft", page=name) is None
    mine = pad.ask("lock", page=name)
    assert mine["mine"]
    assert 80 < mine["expires"] - mine["since"] <= 91
    theirs = pad.ask("lock", pad.people.keeper, page=name.upper())
    assert (theirs["mine"], theirs["user"]) == (False, "notes-writer")
    assert pad.ask("get", pad.people.reader, page=name)["lock"]["user"] == "notes-writer"
    assert pad.ask("lock", pad.people.keeper, page=name, force=True)["mine"]
    told = pad.ask("lock", page=name)
    assert (told["mine"], told["user"], told["brokenBy"]) == (False, "notes-keeper", "notes-keeper")
    assert pad.ask("unlock", page=name) is False
    assert pad.ask("unlock", pad.people.keeper, page=name) is True
    assert pad.ask("lock", page=name)["mine"]
