"""Open pages without browsers: each takes what its stream of events brings and asks for the rest, as the script does.

A process of its own: ``python -m bench.live_pages`` reads the wish as JSON from stdin and prints what it saw.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import base64
import gzip
import html
import json
import random
import re
import secrets
import socket
import sys
import time
import urllib.parse
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import gevent
from gevent.event import Event
from gevent.lock import Semaphore

GATHER = 0.06  # seconds; see refresh.js
WRAPPER = re.compile(r'id="macro-([^"]+)" data-version="(\w+)" data-topics="([^"]+)" hx-get="([^"]+)"')
SINCE = re.compile(r'id="live"[^>]* data-since="([^"]+)"')
ROW = re.compile(r'<tr data-key="(\d+)"(.*?)</tr>', re.DOTALL)
CELL = re.compile(r"<td[^>]*>(.*?)</td>", re.DOTALL)
EVENT = re.compile(rb"(?:id: (\S+)\n)?event: (change|macro)\ndata: (\{.*?\})\n\n")
COLUMNS = {"/cbgrid/Virtual Machines": 5, "/bench/Mine": 2}  # which column tells how often a machine has changed


class Line:
    """A connection that is kept."""

    def __init__(self, port: int, cookie: str) -> None:
        """Connect at the first request."""
        self._port, self._cookie = port, cookie
        self._socket: socket.socket | None = None
        self._rest = b""
        self._free = Semaphore()

    def get(self, address: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Return status and body, as it travelled; one answer after the other."""
        with self._free:
            return self._get(address, headers or {})

    def _get(self, address: str, headers: dict[str, str]) -> tuple[int, bytes]:
        if self._socket is None:
            self._socket = opened(self._port)
        self._socket.sendall(request(address, self._cookie, "Accept-Encoding: gzip", *_lines(headers)))
        head, _, body = self._until(b"\r\n\r\n").partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        wanted = int(length[1]) if length else 0
        while len(body) < wanted:
            body += self._more()
        self._rest = body[wanted:]
        return int(head.split(None, 2)[1]), body[:wanted]

    def _until(self, mark: bytes) -> bytes:
        data = self._rest
        while mark not in data:
            data += self._more()
        return data

    def _more(self) -> bytes:
        assert self._socket is not None
        found = self._socket.recv(65536)
        if not found:
            raise ConnectionError("the portal hung up")
        return found


@dataclass
class Macro:
    """One refreshable part of a page."""

    topics: set[str]
    address: str
    version: str
    waiting: bool = False
    running: bool = False


@dataclass
class Seen:
    """What all pages together saw."""

    changed: dict[tuple[int, int], float] = field(default_factory=dict)  # machine and count -> when it was asked for
    newest: dict[int, int] = field(default_factory=dict)
    late: list[float] = field(default_factory=list)  # seconds from a change to the fresh row
    events: int = 0
    brought: int = 0
    fetches: int = 0
    unchanged: int = 0
    bytes: int = 0
    failures: list[str] = field(default_factory=list)
    loaded: dict[tuple[str, str], str] = field(default_factory=dict)


class OpenPage:
    """A page in a browser's tab."""

    def __init__(self, port: int, cookie: str, address: str, seen: Seen, *, watched: bool) -> None:
        """Open nothing yet."""
        self._port, self._cookie, self.address, self._seen = port, cookie, address, seen
        self._line = Line(port, cookie)
        self._name = secrets.token_hex(16)
        self._watched = watched  # its rows are looked at
        self.rows: dict[int, int] = {}
        self.open = Event()

    def load(self) -> None:
        """Load the page, once for all tabs of a user, and follow its events."""
        shown = self._seen.loaded.get((self._cookie, self.address))
        if shown is None:
            status, body = self._line.get(self.address)
            assert status == 200, (status, body[:300])
            shown = self._seen.loaded[self._cookie, self.address] = text_of(body)
        text = shown
        self.macros = {
            key: Macro(set(topics.split()), html.unescape(address), version)
            for key, version, topics, address in WRAPPER.findall(text)
        }
        self._since = SINCE.search(text)[1]  # type: ignore[index]
        self._note(text)
        gevent.spawn(self._follow)

    def _follow(self) -> None:
        try:
            self._listen()
        except Exception as error:  # noqa: BLE001 - told at the end
            self._seen.failures.append(f"{self.address}: {error!r}")

    def _listen(self) -> None:
        topics = sorted(set().union(*(macro.topics for macro in self.macros.values())))
        stream = opened(self._port)
        address = f"/events?topics={','.join(topics)}&page={self._name}&since={self._since}"
        stream.sendall(request(address, self._cookie, "Accept: text/event-stream"))
        data = b""
        while found := stream.recv(65536):
            data += found
            if not self.open.is_set() and b"\r\n\r\n" in data:
                assert data.startswith(b"HTTP/1.1 200"), data[:200]
                self.open.set()
            last = 0
            for event in EVENT.finditer(data):
                last = event.end()
                if event[2] == b"macro":
                    self._bring(event[3])
                else:
                    self._changed(event[1].decode(), json.loads(event[3]))
            data = data[last:]
        raise ConnectionError("the stream ended")

    def _changed(self, position: str, told: dict[str, Any]) -> None:
        self._seen.events += 1
        self._since = position
        for key, macro in self.macros.items():
            if f"macro-{key}" in told["brought"]:
                continue
            if any(topic in macro.topics or topic.partition(":")[0] in macro.topics for topic in told["topics"]):
                if not macro.waiting and not macro.running:
                    gevent.spawn(self._ask, macro)
                macro.waiting = True

    def _ask(self, macro: Macro) -> None:
        macro.running = True
        while macro.waiting:
            gevent.sleep(GATHER)
            macro.waiting = False
            headers = {"Portal-Since": self._since, "Portal-Version": macro.version, "Portal-Page": self._name}
            status, body = self._line.get(macro.address, headers)
            self._seen.fetches += 1
            self._seen.bytes += len(body)
            if status == 200:
                text = text_of(body)
                macro.version = WRAPPER.search(text)[2]  # type: ignore[index]
                if self._watched:
                    self._note(text)
            elif status == 204:
                self._seen.unchanged += 1
            else:
                self._seen.failures.append(f"{macro.address}: {status}")
        macro.running = False

    def _bring(self, data: bytes) -> None:
        self._seen.brought += 1
        self._seen.bytes += len(data)
        element, text = brought(data)
        macro = self.macros[element.removeprefix("macro-")]
        if macro.running:
            macro.waiting = True
            return
        macro.version = WRAPPER.search(text)[2]  # type: ignore[index]
        if self._watched:
            self._note(text)

    def _note(self, text: str) -> None:
        """Note which of the changes the rows show for the first time."""
        now = time.monotonic()
        for machine, count in rows_of(text, COLUMNS[urllib.parse.unquote(self.address.partition("?")[0])]):
            before = self.rows.get(machine)
            self.rows[machine] = count
            if before is None:
                self._seen.newest.setdefault(machine, count)
            else:
                times = [self._seen.changed.get((machine, step), now) for step in range(before + 1, count + 1)]
                self._seen.late += [now - asked for asked in times]

    def stale(self) -> list[int]:
        """Return the machines of which the page shows another state than they have."""
        if not self._watched:
            return []
        return [machine for machine, count in self.rows.items() if count != self._seen.newest.get(machine, 0)]


def opened(port: int) -> socket.socket:
    """Return a connection to the portal."""
    link = socket.create_connection(("127.0.0.1", port))
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link


def request(address: str, cookie: str, *headers: str) -> bytes:
    """Return a GET."""
    path, _, query = address.partition("?")
    target = urllib.parse.quote(urllib.parse.unquote(path)) + (f"?{query}" if query else "")
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: x", f"Cookie: {cookie}", *headers, "", ""]).encode()


def _lines(headers: dict[str, str]) -> list[str]:
    return [f"{name}: {value}" for name, value in headers.items()]


@lru_cache(maxsize=256)
def text_of(body: bytes) -> str:
    """Return a body as text; many pages get the same."""
    return (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode()


@lru_cache(maxsize=256)
def brought(data: bytes) -> tuple[str, str]:
    """Return element and text of a macro that came by itself; many pages get the same."""
    told = json.loads(data)
    return told["id"], gzip.decompress(base64.b64decode(told["gzip"])).decode()


@lru_cache(maxsize=256)
def rows_of(text: str, column: int) -> list[tuple[int, int]]:
    """Return the machines of a table, and how often each has changed."""
    return [
        (int(key), int(re.sub(r"<[^>]*>|,", "", CELL.findall(row)[column]).strip() or 0))
        for key, row in ROW.findall(text)
    ]


def change(port: int, token: str, machine: int, count: int) -> None:
    """Change a machine by the portal's own API."""
    body = json.dumps({"machineId": machine, "vcpus": count})
    head = ["POST /restmachine/bench/living/change HTTP/1.1", "Host: x", f"Authorization: Bearer {token}"]
    form = ["Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close"]
    with opened(port) as link:
        link.sendall("\r\n".join([*head, *form, "", body]).encode())
        answer = b""
        while found := link.recv(65536):
            answer += found
    assert b" 200 " in answer[:20], answer


def tell(**what: Any) -> None:
    """Tell the bench how far this is."""
    print(json.dumps(what), flush=True)


def heard() -> dict[str, Any]:
    """Wait for the bench's next word."""
    found: dict[str, Any] = json.loads(gevent.get_hub().threadpool.apply(sys.stdin.readline))
    return found


def main() -> None:
    """Open the pages, change machines when told to, and tell what was seen."""
    wish = heard()
    port, seen = wish["port"], Seen()
    sample = set(range(0, len(wish["pages"]), wish["sample"]))
    pages = [
        OpenPage(port, f"portalfw_session={cookie}", address, seen, watched=number in sample)
        for number, (cookie, address) in enumerate(wish["pages"])
    ]
    for page in pages:
        page.load()
    for page in pages:
        page.open.wait(60)
    tell(open=sum(page.open.is_set() for page in pages), failures=seen.failures[:3])
    while word := heard():
        if "changes" not in word:
            break
        _change_for(port, wish, word, seen)
        seen.late, late = [], seen.late
        wrong = [(page.address, page.stale()) for page in pages if page.stale()]
        tell(
            events=seen.events,
            brought=seen.brought,
            fetches=seen.fetches,
            unchanged=seen.unchanged,
            bytes=seen.bytes,
            late=late,
            stale=wrong,
            failures=seen.failures[:3],
        )
        seen.events = seen.brought = seen.fetches = seen.unchanged = seen.bytes = 0


def _change_for(port: int, wish: dict[str, Any], word: dict[str, Any], seen: Seen) -> None:
    rng = random.Random(7)  # noqa: S311 - the same changes each time
    began = time.monotonic()
    last: dict[int, gevent.Greenlet[..., None]] = {}
    for number in range(word["changes"]):
        gevent.sleep(max(0.0, began + number / word["rate"] - time.monotonic()))
        machine = rng.choice(wish["machines"])
        count = seen.newest[machine] = seen.newest.get(machine, 0) + 1
        seen.changed[machine, count] = time.monotonic()
        before = last.get(machine)
        last[machine] = gevent.spawn(_change_after, before, port, wish["token"], machine, count)
    gevent.joinall(list(last.values()))
    gevent.sleep(word["settle"])


def _change_after(before: gevent.Greenlet[..., None] | None, *what: Any) -> None:
    """Change a machine when its change before has been answered; others do not wait."""
    if before is not None:
        before.join()
    change(*what)


if __name__ == "__main__":
    main()
