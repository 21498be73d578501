"""The search over 3,000 pages and 20,000 objects: how long a question takes, how long the index, how large it is."""

from __future__ import annotations

import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pymongo
import requests
from product import REPOSITORY, Product, create_token, start, wait_for

from portalfw.store import Mongod

PAGES, OBJECTS, WORDS_A_PAGE, VOCABULARY = 3_000, 20_000, 1_100, 8_000
TENANTS = {"small": 50, "large": 5_000}  # machines that a tenant's account has
QUESTIONS = 400
TARGET = "≤ 20 ms"
MIB = 2**20
UNLIMITED = {"PORTALFW_RATE_PER_USER": "0", "PORTALFW_RATE_PER_ADDRESS": "0"}


def search_figures() -> list[tuple[str, str, str]]:
    """Measure a product that has just this much to find, started anew for each figure that needs it."""
    rng = random.Random(4)  # noqa: S311 - words for a measurement
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(3, 10))) for _ in range(VOCABULARY)]
    folder = Path(tempfile.mkdtemp(prefix="pfw-", dir="/tmp"))
    content = folder / "content"
    _write_pages(content / "spaces" / "handbook", words, rng)
    flags = ("--hypervisor", "test", "--content", str(REPOSITORY), "--content", str(content))
    try:
        first = start(folder / "state", *flags, **UNLIMITED)
        first.token = create_token(first.state, "admin")
        tokens = {"operator": first.token} | {name: first.user_token(f"tenant-{name}", "user") for name in TENANTS}
        _insert_machines(first, words, rng)
        first.stop()
        second = start(folder / "state", *flags, **UNLIMITED)
        second.token = first.token
        rows = [_index_row(second)]
        try:
            rows += [_question_row(second, who, token, words) for who, token in tokens.items()]
            rows.append(_memory_row(second))
        finally:
            second.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return rows


def _write_pages(space: Path, words: list[str], rng: random.Random) -> None:
    """Write pages of about 8 KB each."""
    space.mkdir(parents=True)
    (space / "space.yaml").write_text("title: Handbook\nrights: {login: R}\n")
    for number in range(PAGES):
        title = " ".join(rng.choices(words, k=2)).capitalize()
        parts = [f"---\ntitle: {title} {number}\n---\n"]
        for _ in range(10):
            text = " ".join(rng.choices(words, k=WORDS_A_PAGE // 10))
            parts.append(f"## {' '.join(rng.choices(words, k=3))}\n\n{text}\n\n")
        (space / f"Page {number}.md").write_text("".join(parts))


def _insert_machines(product: Product, words: list[str], rng: random.Random) -> None:
    """Put machines, and the accounts that own them, into the database of a running product."""
    database = pymongo.MongoClient(Mongod(product.state / "mongod").uri)["portalfw"]
    owners = [(1000 + number, name, count) for number, (name, count) in enumerate(TENANTS.items())]
    database["account"].insert_many(
        [
            {
                "_id": identity,
                "name": f"tenant-{name}",
                "status": "CONFIRMED",
                "live": True,
                "acl": [{"user_group_id": f"tenant-{name}", "type": "U", "right": "ARCXDU"}],
            }
            for identity, name, _ in owners
        ]
    )
    accounts = [identity for identity, _, count in owners for _ in range(count)]
    accounts += [1] * (OBJECTS - len(accounts))
    rng.shuffle(accounts)
    database["machine"].insert_many(list(_machines(accounts, words, rng)))


def _machines(accounts: list[int], words: list[str], rng: random.Random) -> Iterator[dict[str, Any]]:
    for number, account in enumerate(accounts, 100_000):
        name = f"{rng.choice(('web', 'db', 'crm', 'mail'))}-{rng.choice(words)}-{number}"
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        nic = {"type": "bridge", "network_id": 1, "mac_address": f"52:54:{number:08x}", "ip_address": address}
        yield {
            "_id": number,
            "name": name,
            "hostname": name,
            "description": " ".join(rng.choices(words, k=6)),
            "account_id": account,
            "cloudspace_id": account,
            "acl": [],
            "nics": [nic],
            "reference_id": f"{number:032x}",
            "status": "RUNNING",
            "live": True,
            "image_id": 1,
            "memory": 512,
            "vcpus": 1,
            "on_node": False,
        }


def _index_row(product: Product) -> tuple[str, str, str]:
    began = time.perf_counter()
    wait_for(lambda: product.ask("system/search/find", text="x")["complete"], 300, "the index is made")
    seconds = time.perf_counter() - began
    size = sum(file.stat().st_size for file in (product.state / "search").iterdir()) / MIB
    what = f"search: index of {PAGES:,} pages of 8 KB and {OBJECTS:,} objects, after Ready"
    return what, f"{seconds:.1f} s, {size:.0f} MiB on disk", "–"


def _question_row(product: Product, who: str, token: str, words: list[str]) -> tuple[str, str, str]:
    """Ask as somebody who types: beginnings of words and names, two words, addresses, ids, parts, errors."""
    rng = random.Random(5)  # noqa: S311 - the same questions for everybody
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    inside, outside = [], []
    for question in _questions(words, rng):
        began = time.perf_counter()
        answer = session.get(
            f"{product.url}/restmachine/system/search/find", params={"text": question, "limit": 6}, timeout=20
        )
        outside.append((time.perf_counter() - began) * 1000)
        inside.append(answer.json()["milliseconds"])
    name = who if who == "operator" else f"tenant with {TENANTS[who]:,} machines"
    found, waited = statistics.quantiles(inside[20:], n=100), statistics.quantiles(outside[20:], n=100)
    text = f"p50 {found[49]:.1f} ms, p99 {found[98]:.1f} ms (waited p50 {waited[49]:.1f}, p99 {waited[98]:.1f})"
    return f"search: a question of an {name}" if who == "operator" else f"search: of a {name}", text, TARGET


def _questions(words: list[str], rng: random.Random) -> Iterator[str]:
    for _ in range(QUESTIONS // 8):
        word, other = rng.choice(words), rng.choice(words)
        number = rng.randrange(100_000, 100_000 + OBJECTS)
        yield from (word[:2], word[:3], word, f"{word} {other[:3]}", f"web-{other[:3]}")
        yield from (
            f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
            f"machine {number}",
            f"{word[:3]}q{word[3:]}",
        )


def _memory_row(product: Product) -> tuple[str, str, str]:
    master = psutil.Process(product.process.pid).memory_full_info().pss / MIB
    return "search: memory of the master with all this", f"{master:.0f} MiB", "–"
