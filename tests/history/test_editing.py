"""Pages are read, created and saved; what two people write at once is merged or answered, never lost."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from product import wait_for

from history.conftest import SPACE, Pad

Make = Callable[..., str]


def git(pad: Pad, *arguments: str) -> str:
    """Run git on the product's clone of the space."""
    folder = pad.product.state / "spaces" / SPACE
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def test_a_save_is_one_commit_of_its_author(pad: Pad, new_page: Make) -> None:
    """A save is one commit with author and message, the page shows it at once, and git sees a clean repository."""
    name = new_page("first\n")
    before = git(pad, "rev-list", "--count", "main")
    saved = pad.rewrite(name, "second\r\nthird", message="Said more\n\nMuch more")
    assert int(git(pad, "rev-list", "--count", "main")) == int(before) + 1
    assert git(pad, "log", "-1", "--format=%H %an %s") == f"{saved['revision']} notes-writer Said more\n"
    assert git(pad, "show", f"main:{name}.md") == "second\nthird\n"
    assert git(pad, "status", "--porcelain") == ""
    assert "third" in pad.get(f"/{SPACE}/{name}").text
    git(pad, "fsck", "--strict")


def test_an_unchanged_text_makes_no_commit(pad: Pad, new_page: Make) -> None:
    """Saving what is there already changes nothing."""
    name = new_page("same\n")
    saved = pad.rewrite(name, "same")
    assert (saved["changed"], saved["merged"]) == (False, False)
    assert saved["revision"] == pad.ask("get", page=name)["revision"]


def test_two_edits_of_different_lines_are_merged(pad: Pad, new_page: Make) -> None:
    """Who saves second finds both edits in the page, and is told so."""
    name = new_page("\n".join(f"line {number}" for number in range(9)))
    base = pad.ask("get", page=name)
    pad.rewrite(name, base["text"].replace("line 0", "their line"))
    saved = pad.ask("save", page=name, text=base["text"].replace("line 8", "my line"), base=base["revision"])
    assert saved["merged"]
    assert saved["text"] == pad.text(name)
    assert pad.text(name).splitlines()[0] == "their line"
    assert pad.text(name).splitlines()[8] == "my line"


def test_two_edits_of_one_line_are_a_conflict(pad: Pad, new_page: Make) -> None:
    """A conflict answers all texts, and a text merged by hand can be saved on the revision that it names."""
    name = new_page("one\n")
    base = pad.ask("get", page=name)
    pad.rewrite(name, "theirs\n")
    error = pad.refused("save", page=name, text="mine\n", base=base["revision"])
    assert (error["status"], error["error"]) == (409, "conflict")
    detail = error["detail"]
    assert (detail["base"], detail["mine"], detail["theirs"]) == ("one\n", "mine\n", "theirs\n")
    assert detail["merge"] == "<<<<<<< yours\nmine\n=======\ntheirs\n>>>>>>> theirs\n"
    assert pad.text(name) == "theirs\n"
    pad.ask("save", page=name, text="both\n", base=detail["revision"])
    assert pad.text(name) == "both\n"


def test_saves_at_the_same_moment_are_all_kept(pad: Pad, new_page: Make) -> None:
    """Sixteen people who add a line each at the same time all find it in the page."""
    name = new_page("\n\n".join(f"place {number}\n" for number in range(16)))
    base = pad.ask("get", page=name)

    def edit(number: int) -> Any:
        text = base["text"].replace(f"place {number}\n", f"person {number}\n")
        return pad.ask("save", page=name, text=text, base=base["revision"])

    with ThreadPoolExecutor(16) as pool:
        revisions = {answer["revision"] for answer in pool.map(edit, range(16))}
    assert len(revisions) == 16
    assert all(f"person {number}\n" in pad.text(name) for number in range(16))
    git(pad, "fsck", "--strict")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("---\ncolour: red\n---\nx\n", 2),
        ("---\ntitle: [\n---\n", 3),
        ("fine\n\n${1 +\n", 3),
        ("a\n{% for x in y %}\n", 2),
        ("---\nrights: {level1: Z}\n---\n", None),
    ],
)
def test_what_is_no_page_is_not_saved(pad: Pad, new_page: Make, text: str, line: int | None) -> None:
    """A mistake is named with its line, the page stays as it was."""
    name = new_page("fine\n")
    base = pad.ask("get", page=name)["revision"]
    for method, arguments in (("save", {"base": base}), ("preview", {})):
        error = pad.refused(method, page=name, text=text, **arguments)
        assert error["status"] == 400
        assert line is None or error["detail"] == {"argument": "text", "line": line}, error
    assert pad.text(name) == "fine\n"


def test_a_preview_is_the_page_and_stores_nothing(pad: Pad) -> None:
    """The preview runs expressions and macros with the viewer's rights, in a page that need not exist."""
    text = "---\ntitle: Of ${params.who}\n---\n# One ${1 + 1}\n\n{{note text:Remark}}\n\n{{children}}\n"
    found = pad.ask("preview", page="Nowhere Yet", text=text, params={"who": "me"})
    assert found["title"] == "Of me"
    assert "One 2" in found["html"]
    assert "hx-get" not in found["html"]
    assert pad.refused("get", page="Nowhere Yet")["status"] == 404


def test_new_pages(pad: Pad) -> None:
    """A page begins empty, as a text or like a template; its name is free in any letter case."""
    assert pad.ask("templates") == ["Minutes"]
    made = pad.ask("create", page="Monday  Meeting", template="Minutes")
    assert (made["page"], made["text"]) == ("Monday Meeting", "# Minutes\n\nWho was there:\n")
    assert pad.ask("create", page="Empty one")["text"] == "\n"
    error = pad.refused("create", page="monday_MEETING")
    assert (error["status"], error["detail"]) == (409, {"page": "Monday Meeting"})
    assert pad.refused("create", page="Other", template="Nothing")["status"] == 404
    pad.ask("create", page="Agenda", text="# Agenda\n", as_template=True, asTemplate=True)
    assert pad.ask("templates") == ["Agenda", "Minutes"]


def found(pad: Pad, text: str) -> list[str]:
    """Return the titles of the pages that the search finds."""
    groups = pad.product.call("system/search/find", pad.people.writer, text=text, kinds=["page"]).json()["groups"]
    return [hit["title"] for group in groups for hit in group["hits"]]


def test_templates_are_in_no_list(pad: Pad, new_page: Make) -> None:
    """A template shows in no navigation and no search, and its links make no page wanted."""
    page, word = new_page(), "zymurgical"
    pad.ask("create", page="Zymurgy", text=f"{word} [notes](Nowhere In Zymurgy), [{page}]({page})\n", asTemplate=True)
    new_page(f"{word} too\n")
    shown = pad.get("/notes/Home").text
    assert page in shown
    assert "Zymurgy" not in shown
    wait_for(lambda: found(pad, word))
    assert len(found(pad, word)) == 1
    assert not [row for row in pad.product.ask("system/pages/wanted") if "zymurgy" in row["page"].lower()]
    assert page in [row["page"] for row in pad.ask("orphans", limit=0)]


LONG = ("x" * 101, "ü" * 101)
ODD = ("a\0b", "a\nb:c", "\ud800", "a\u202eb", "", " ", "...", "..", "a.", "_", "<b>", "C:", "NAV ")


PATHS = ("../up", "a/b", ".hidden", "a\\b", "P.md", "p.JSON", "a?b", "a#b", "a%2fb", "${x}", "{{x}}", "a|b", "[x]")


@pytest.mark.parametrize("name", [*LONG, *ODD, *PATHS])
def test_names_that_cannot_be(pad: Pad, name: str) -> None:
    """A name that would leave the folder, hide, or mean something in an address is refused, and nothing is written."""
    answer = pad.product.call("system/pages/create", pad.people.writer, space=SPACE, page=name, text="x")
    assert answer.status_code in {400, 409}, answer.text
    assert "x\n" not in git(pad, "log", "-1", "--format=%s")


@pytest.mark.parametrize("name", ["Größe & Maß", "日本語", "हिन्दी पृष्ठ", "A, B (c) - d'e + f!", "v1.2"])
def test_names_of_many_tongues(pad: Pad, name: str) -> None:
    """Letters of any script can name a page, which answers at its address."""
    pad.ask("create", page=name, text="here I am\n")
    assert "here I am" in pad.get(f"/{SPACE}/{name}").text
    assert pad.ask("get", page=name.upper())["page"] == name


def test_navigation_is_edited_as_a_page(pad: Pad) -> None:
    """The page nav is the space's navigation; what is none is refused."""
    pad.ask("create", page="nav", text="- [Start](Home) {house}\n")
    assert ">Start<" in pad.get(f"/{SPACE}").text.replace("\n", "").replace(" ", "")
    assert pad.refused("save", page="nav", text="prose\n", base=pad.ask("get", page="nav")["revision"])["status"] == 400


def test_typing_does_not_fill_the_audit_log(pad: Pad, new_page: Callable[..., str]) -> None:
    """Locks and drafts, which an editor sends by itself, are not on record; what is saved is."""
    page = new_page()
    pad.ask("lock", page=page)
    pad.ask("saveDraft", page=page, text="typed\n", base="")
    pad.rewrite(page, "typed and saved\n")
    calls = [row["call"] for row in pad.product.ask("system/audits/listAudits", limit=200) if page in str(row)]
    assert "system/pages/save" in calls
    assert not {"system/pages/lock", "system/pages/saveDraft"} & set(calls)
