"""The logo: an administrator's picture stands on every page, and can do no harm."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator

import pytest
import requests
from product import Product, wait_for

GET, SET, DELETE = "system/logo/get", "system/logo/set", "system/logo/delete"
SVG = b'<?xml version="1.0"?>\n<!-- ours -->\n<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def png(width: int, height: int) -> bytes:
    """Return the beginning of a PNG of some size."""
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\x06\0\0\0"


@pytest.fixture
def painted(product: Product) -> Iterator[Product]:
    """Give the product, which shows its own mark again afterwards."""
    yield product
    product.ask(DELETE)


def page(product: Product) -> str:
    """Return a page."""
    headers = {"Authorization": f"Bearer {product.token}"}
    return requests.get(f"{product.url}/system/Logo", headers=headers, timeout=20).text


def test_every_page_shows_the_picture(painted: Product) -> None:
    """What was set is at the top of pages under an address that browsers may keep; without it the mark is back."""
    assert painted.ask(GET)["address"] == ""
    address = painted.ask(SET, image="data:image/png;base64," + base64.b64encode(png(32, 32)).decode())
    assert painted.ask(GET)["address"] == address
    wait_for(lambda: f'<img class="brand" src="{address}"' in page(painted), 10)
    served = requests.get(painted.url + address, timeout=10)
    assert (served.content, served.headers["Content-Type"]) == (png(32, 32), "image/png")
    assert "immutable" in served.headers["Cache-Control"]
    assert painted.ask(DELETE) is True
    assert painted.ask(DELETE) is False
    assert requests.get(painted.url + address, timeout=10).status_code == 404
    wait_for(lambda: '<img class="brand"' not in page(painted), 10)


def test_an_svg_cannot_run_anything(painted: Product) -> None:
    """A picture that holds script is served so that no browser runs it, even opened by itself."""
    address = painted.ask(SET, image=base64.b64encode(SVG).decode())
    served = requests.get(painted.url + address, timeout=10)
    assert served.headers["Content-Type"].startswith("image/svg+xml")
    assert "sandbox" in served.headers["Content-Security-Policy"]
    assert "default-src 'none'" in served.headers["Content-Security-Policy"]
    assert served.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html><svg></svg></html>",
        b'<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg>&a;</svg>',
        png(100_000, 10),
        png(32, 32) + b"\0" * 256 * 1024,
        b"GIF89a",
    ],
)
def test_only_small_pictures_are_taken(product: Product, data: bytes) -> None:
    """Whatever is too large, or no picture that is known to be harmless, is refused and changes nothing."""
    refused = product.call(SET, image=base64.b64encode(data).decode())
    assert refused.status_code == 400, refused.text
    assert refused.json()["detail"]["argument"] == "image"
    assert product.call(SET, image="no base64!").status_code == 400
    assert product.ask(GET)["address"] == ""


def test_an_administrator_uploads_a_file(painted: Product) -> None:
    """The page with the file takes it from an administrator's browser; others, and other sites' pages, are refused."""
    address = f"{painted.url}/logo/change"
    files = {"image": ("logo.svg", SVG, "image/svg+xml")}
    operator = painted.user_token("painter", "level3")
    for token, status in ((painted.token, 303), (operator, 403)):
        headers = {"Authorization": f"Bearer {token}"}
        assert 'type="file"' in requests.get(address, headers=headers, timeout=10).text
        answer = requests.post(address, files=files, headers=headers, timeout=10, allow_redirects=False)
        assert answer.status_code == status
    assert painted.ask(GET)["media_type"] == "image/svg+xml"
    browser, ours = requests.Session(), {"Sec-Fetch-Site": "same-origin"}
    form = {"name": "admin", "password": painted.password}
    browser.post(f"{painted.url}/login", data=form, headers=ours, timeout=10, allow_redirects=False)
    own = browser.post(address, files=files, headers=ours, timeout=10, allow_redirects=False)
    assert own.headers["Location"] == "/system/Logo"
    foreign = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert browser.post(address, files=files, headers=foreign, timeout=10).status_code == 403
    assert requests.post(address, files=files, timeout=10, allow_redirects=False).status_code == 303
