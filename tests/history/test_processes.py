"""Processes write the same spaces; a killed one leaves good repositories; upgrades spare what operators wrote."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from product import REPOSITORY, Product, create_token, running, start, wait_for

SPACE = "manual"


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """Give a content directory of a space of its own."""
    folder = tmp_path / "content"
    write(folder, "space.yaml", "title: Manual\nrights: {level1: RW}\n")
    write(folder, "Home.md", "first line\n\nmiddle\n\nlast line\n")
    write(folder, "Other.md", "shipped\n")
    return folder


def write(content: Path, name: str, text: str) -> None:
    """Ship a file."""
    file = content / "spaces" / SPACE / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def flags(content: Path) -> tuple[str, ...]:
    return "--hypervisor", "test", "--content", str(REPOSITORY), "--content", str(content)


@pytest.fixture
def state() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="pfw-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


def get(product: Product, page: str) -> dict[str, Any]:
    found: dict[str, Any] = product.ask("system/pages/get", space=SPACE, page=page)
    return found


def save(product: Product, page: str, text: str, base: str | None = None) -> requests.Response:
    base = base or get(product, page)["revision"]
    return product.call("system/pages/save", space=SPACE, page=page, text=text, base=base)


def shown(product: Product, page: str) -> str:
    headers = {"Authorization": f"Bearer {product.token}"}
    return requests.get(f"{product.url}/{SPACE}/{page}", headers=headers, timeout=20).text


def git(product: Product, *arguments: str) -> str:
    folder = product.state / "spaces" / SPACE
    return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True).stdout


@pytest.mark.timeout(300)
def test_two_processes_show_each_others_edits(content: Path, state: Path) -> None:
    """An edit in one process is in the other's pages and clone within 5 s; a race of both loses nothing."""
    with ExitStack() as stack:
        one = stack.enter_context(running(*flags(content), state=state))
        second = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pfw-", dir="/tmp")))
        uri = f"mongodb://{quote(str(state / 'mongod' / 'm.sock'), safe='')}/?directConnection=true"
        two = start(second, *flags(content), "--mongodb-uri", uri)
        stack.callback(two.stop)
        two.token = one.token
        assert save(one, "Home", "edited by one\n\nmiddle\n\nlast line\n").status_code == 200
        began = time.monotonic()
        wait_for(lambda: "edited by one" in shown(two, "Home"), 5, "the other process shows the edit")
        assert time.monotonic() - began < 5
        two.ask("system/pages/create", space=SPACE, page="From Two", text="hello one\n")
        wait_for(lambda: "hello one" in shown(one, "From Two"), 5, "the first process shows the new page")
        two.ask("system/spaces/configure", space=SPACE, title="Of two")
        wait_for(lambda: "Of two" in shown(one, "Home"), 5, "the first process shows the new settings")
        two.ask("system/spaces/delete", space=SPACE)
        wait_for(lambda: "There is no space" in shown(one, "Home"), 5, "the first process shows the space no more")
        one.ask("system/spaces/restore", space=SPACE)
        wait_for(lambda: "Of two" in shown(two, "Home"), 5, "the other process shows the restored space")
        base = get(one, "Home")["revision"]
        texts = ((one, "edited by one\n\nmiddle\n\nthe end\n"), (two, "again by two\n\nmiddle\n\nlast line\n"))
        threads = [threading.Thread(target=save, args=(each, "Home", text, base)) for each, text in texts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        both = "again by two\n\nmiddle\n\nthe end\n"
        for each in (one, two):
            wait_for(lambda each=each: get(each, "Home")["text"] == both, 5, "both edits in both processes")
        wait_for(lambda: git(one, "rev-parse", "main") == git(two, "rev-parse", "main"), 5, "the same head")
        for each in (one, two):
            git(each, "fsck", "--strict")
            assert git(each, "status", "--porcelain") == ""


@pytest.mark.timeout(300)
def test_a_process_killed_while_it_saves(content: Path, state: Path) -> None:
    """After a kill in the middle of saves all that was answered is there, and the repository and files are whole."""
    product = start(state, *flags(content))
    product.token = create_token(state, "admin")
    answered: list[str] = []

    def keep_saving() -> None:
        base = get(product, "Home")["revision"]
        for number in range(1000):
            try:
                answer = save(product, "Home", f"number {number}\n", base)
            except requests.RequestException:
                return
            base = answer.json()["revision"]
            answered.append(base)

    thread = threading.Thread(target=keep_saving)
    thread.start()
    wait_for(lambda: len(answered) >= 20, 30, "some saves")
    product.process.send_signal(signal.SIGKILL)
    product.process.wait(30)
    thread.join()
    (state / "spaces" / SPACE / "Home.md").write_text("half writ")
    (state / "spaces" / SPACE / ".git" / "refs" / "heads" / "main.lock").touch()
    with running(*flags(content), state=state) as again:
        git(again, "fsck", "--strict")
        assert git(again, "status", "--porcelain") == ""
        assert answered[-1] in git(again, "rev-list", "main")
        number = int(get(again, "Home")["text"].split()[1])
        assert number >= len(answered) - 1
        assert save(again, "Home", "goes on\n").status_code == 200
    shutil.rmtree(state / "spaces")
    with running(*flags(content), state=state) as anew:
        assert get(anew, "Home")["text"] == "goes on\n"
        assert answered[0] in git(anew, "rev-list", "main")


@pytest.mark.timeout(300)
def test_an_upgrade_spares_what_operators_wrote(content: Path, state: Path) -> None:
    """Changed shipped pages are merged; where both changed a line the operator's text stays and is told."""
    with running(*flags(content), state=state) as product:
        save(product, "Home", "ours\n\nmiddle\n\nlast line\n")
        product.ask("system/pages/delete", space=SPACE, page="Other")
        product.ask("system/spaces/delete", space="docs")
    write(content, "Home.md", "first line\n\nmiddle\n\nlast line, improved\n")
    write(content, "New.md", "brand new\n")
    with running(*flags(content), state=state) as product:
        assert get(product, "Home")["text"] == "ours\n\nmiddle\n\nlast line, improved\n"
        assert get(product, "New")["text"] == "brand new\n"
        assert product.call("system/pages/get", space=SPACE, page="Other").status_code == 404
        assert product.ask("system/spaces/conflicts", space=SPACE) == []
        assert product.call("system/pages/get", space="docs", page="Home").status_code == 404
        product.ask("system/spaces/restore", space="docs")
        assert product.ask("system/pages/get", space="docs", page="Home")["space"] == "docs"
    write(content, "Home.md", "theirs\n\nmiddle\n\nlast line, improved\n")
    with running(*flags(content), state=state) as product:
        assert get(product, "Home")["text"].startswith("ours\n")
        (row,) = product.ask("system/spaces/conflicts", space=SPACE)
        assert (row["page"], row["source"]) == ("Home", "shipped")
        conflict = product.ask("system/spaces/conflict", space=SPACE, page="Home")
        assert conflict["merge"].startswith("<<<<<<< yours\nours\n=======\ntheirs\n>>>>>>> theirs\n")
        save(product, "Home", "both\n")
        assert product.ask("system/spaces/conflicts", space=SPACE) == []


@pytest.mark.timeout(200)
def test_development_mode_edits_the_files(content: Path, state: Path) -> None:
    """With --dev pages are the files of the content directory, both ways, and conflicts are answered all the same."""
    with running(*flags(content), "--dev", state=state) as product:
        write(content, "Home.md", "from the disk\n")
        wait_for(lambda: "from the disk" in shown(product, "Home"), 5, "an edited file")
        base = get(product, "Home")
        assert save(product, "Home", "from the portal\n", base["revision"]).status_code == 200
        assert (content / "spaces" / SPACE / "Home.md").read_text() == "from the portal\n"
        answer = save(product, "Home", "mine\n", base["revision"])
        assert (answer.status_code, answer.json()["detail"]["base"]) == (409, "from the disk\n")
        product.ask("system/pages/create", space=SPACE, page="Fresh", text="[x](Home)\n")
        assert (content / "spaces" / SPACE / "Fresh.md").read_text() == "[x](Home)\n"
        product.ask("system/pages/rename", space=SPACE, page="Home", name="House")
        assert (content / "spaces" / SPACE / "Fresh.md").read_text() == "[x](House)\n"
        assert product.call("system/pages/history", space=SPACE, page="Fresh").status_code == 503
        assert product.ask("system/spaces/configure", space=SPACE, order=3)["order"] == 3
        assert "order: 3" in (content / "spaces" / SPACE / "space.yaml").read_text()
        assert not (state / "spaces").exists()
