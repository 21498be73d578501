"""Consoles over HTTP: who gets a ticket, what it opens, what goes through, and how it ends."""

from __future__ import annotations

import json
import struct
from contextlib import closing
from typing import Any

import pytest
import requests
from cloud_steps import Cloud
from product import Product, wait_for
from viewer import RefusedError, Viewer, ticket_of

HELLO = b"RFB 003.008\n"
GREETING = HELLO + b"\x01" + b"\x01"  # version, no password, shared
KEY = struct.pack(">BBxxI", 4, 1, 0x61)
LOOK = struct.pack(">BBHHHH", 3, 1, 0, 0, 8, 8)


def opened(product: Product, token: str, url: str) -> closing[Viewer]:
    return closing(Viewer(product.url, f"/console/stream?ticket={ticket_of(url)}", token))


@pytest.fixture(scope="module")
def looker(product: Product) -> str:
    """Give a token of a user who may look, but not type."""
    return product.user_token("looker", "level2")


def audits(product: Product) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = product.ask("system/audits/listAudits", tag="portholeId:1")
    return rows


def test_bytes_go_both_ways(product: Product) -> None:
    """What the node shows comes to the browser, what is typed goes to the node, and both ends are on record."""
    url = product.ask("lab/porthole/getUrl", mebibytes=8)
    assert url.startswith(f"{product.url}/console?ticket=")
    with opened(product, product.token, url) as viewer:
        assert viewer.read(12) == HELLO
        assert viewer.read(8 << 20) == bytes(8 << 20)
        viewer.send((GREETING + KEY)[:17])
        viewer.send((GREETING + KEY)[17:] + LOOK)
        assert viewer.read(32) == GREETING + KEY + LOOK
        assert [state["state"] for state in viewer.state] == ["asking", "open"]
        assert viewer.state[1]["typing"]
    closed = wait_for(lambda: [row for row in audits(product) if row["call"] == "console/close"], 30, "the last record")
    assert closed[0]["arguments"]["bytesTyped"] == 32
    assert closed[0]["arguments"]["bytesShown"] == (8 << 20) + 12 + 32
    assert {"Console opened", "Console closed"} <= {row["title"] for row in audits(product)}


def test_who_may_only_look_presses_no_keys(product: Product, looker: str) -> None:
    """Keys of a user without the right to type go nowhere; what looking needs goes on."""
    url = product.call("lab/porthole/getUrl", looker).json()
    with opened(product, looker, url) as viewer:
        viewer.read(12)
        viewer.send(GREETING + KEY + LOOK)
        assert viewer.read(24) == GREETING + LOOK
        assert not viewer.state[-1]["typing"]


def test_nonsense_ends_it(product: Product) -> None:
    """A message that no screen knows closes the console with a sentence."""
    with opened(product, product.token, product.ask("lab/porthole/getUrl")) as viewer:
        viewer.read(12)
        viewer.send(GREETING + b"\xfa\x00\x01\x02")
        code, reason = viewer.end()
    assert code == 4002
    assert "message type 250" in reason


def test_ticket_is_for_one_user_and_for_once(product: Product, looker: str) -> None:
    """A ticket opens one console of the user that it was issued to; the page of a used one says what it shows."""
    url = product.ask("lab/porthole/getUrl")
    with opened(product, looker, url) as viewer:
        assert viewer.end()[0] == 4001
    with opened(product, product.token, url) as viewer:
        assert viewer.read(12) == HELLO
    with opened(product, product.token, url) as viewer:
        code, reason = viewer.end()
    assert code == 4001
    assert "used up" in reason
    with opened(product, product.token, f"{url}x") as viewer:
        assert viewer.end()[0] == 4001


def test_doors(product: Product) -> None:
    """Other sites' pages, guests, and who speaks no WebSocket open nothing; nodes bring only what is waited for."""
    path = f"/console/stream?ticket={ticket_of(product.ask('lab/porthole/getUrl'))}"
    for token, origin, status in ((product.token, "https://evil.example", 403), ("", None, 401)):
        with pytest.raises(RefusedError) as refused:
            Viewer(product.url, path, token, origin=origin)
        assert refused.value.args[0] == status
    assert requests.get(product.url + path, timeout=30).status_code == 404
    credential = json.loads((product.state / "agent" / "credential").read_bytes())["credential"]
    for token, status in ((product.token, 401), (credential, 404)):
        with pytest.raises(RefusedError) as refused:
            Viewer(product.url, "/agent/tunnels/unknown", token)
        assert refused.value.args[0] == status


def test_ends_with_the_right(product: Product) -> None:
    """A console closes soon after its user was deleted."""
    token = product.user_token("fleeting", "level1")
    url = product.call("lab/porthole/getUrl", token).json()
    with opened(product, token, url) as viewer:
        viewer.read(12)
        product.ask("system/usermanager/delete", username="fleeting")
        assert viewer.end()[0] == 4001


def test_simulated_machine_has_no_screen(product: Product) -> None:
    """Who may see a machine gets an address while it runs; a simulated one says that it has no screen."""
    cloud = Cloud(product, "console")
    space = cloud.cloudspace("console")
    machine = cloud.machine(space, "blank")
    with opened(product, product.token, product.ask("cloudapi/machines/getConsoleUrl", machineId=machine)) as viewer:
        code, reason = viewer.end()
    assert code == 4000
    assert "simulated" in reason
    stranger = product.user_token("passer-by", "user")
    assert product.call("cloudapi/machines/getConsoleUrl", stranger, machineId=machine).status_code == 403
    assert product.ask("cloudbroker/machine/getConsoleUrl", machineId=machine)
    product.ask("cloudapi/machines/stop", machineId=machine)
    assert product.ask("cloudapi/machines/getConsoleUrl", machineId=machine) is None
