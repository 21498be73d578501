"""The space Docs shows the project's own files, and nothing in it leads nowhere."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest
import requests
from product import REPOSITORY, Product

from portalfw.wiki.included import included_files, read_include

ROOT_FILES = ("README.md", "CONTRIBUTING.md", "THREAT_MODEL.md", "CHANGELOG.md")
FILES = [*(REPOSITORY / name for name in ROOT_FILES), *sorted((REPOSITORY / "docs").glob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
ADDRESS = re.compile(r'<(?:a|img)\b[^>]*? (?:href|src)="([^"]+)"')
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def article(product: Product, reader: requests.Session, address: str) -> str:
    """Return the page's own part of an address that must be one."""
    answer = reader.get(urljoin(product.url, address), timeout=60)
    assert answer.status_code == 200, f"{address}: {answer.status_code}"
    return answer.text.partition("<article")[2].partition("</article>")[0]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_document_is_a_page_whose_links_and_images_lead_somewhere(
    product: Product, reader: requests.Session, file: Path
) -> None:
    """A document of the project is a page without error, and what it links to within the portal answers."""
    html = article(product, reader, f"/docs/{file.stem}")
    assert "macro-error" not in html
    for found in sorted({unescape(address) for address in ADDRESS.findall(html)}):
        address, anchor = urldefrag(urljoin(f"{product.url}/docs/{file.stem}", found))
        if not address.startswith(product.url):
            continue
        answer = reader.get(address, timeout=60)
        assert answer.status_code in {200, 403}, f"{file.name} links to {found}: {answer.status_code}"
        assert not anchor or f'id="{anchor}"' in answer.text, f"{file.name} links to {found}, which has no such chapter"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_links_between_documents_hold_for_viewers_of_plain_markdown(file: Path) -> None:
    """A relative link in a document names a file beside it, as code hosts resolve it."""
    for target in LINK.findall(CODE.sub("", file.read_text())):
        path = target.partition("#")[0]
        if path and ":" not in path and not path.startswith("/"):
            assert (file.parent / path).is_file(), f"{file.name} links to {target}"


def test_the_pages_are_the_files_of_the_project(product: Product, reader: requests.Session) -> None:
    """What the space shows is what lies in docs/, byte for byte."""
    for file in FILES:
        assert reader.get(f"{product.url}/docs/{file.stem}.md", timeout=60).content == file.read_bytes(), file.name


def test_a_long_document_begins_with_its_contents(product: Product, reader: requests.Session) -> None:
    """A document is called as its heading says, and its chapters are listed before it."""
    whole = reader.get(f"{product.url}/docs/pages", timeout=60).text
    assert "<title>Writing pages · Docs</title>" in whole
    assert '<a href="#the-front-matter">' in whole.partition('<aside class="toc"')[2].partition("</aside>")[0]


def test_guests_sign_in_first(product: Product) -> None:
    """Who is not signed in is asked to, for pages and images alike."""
    answer = requests.get(f"{product.url}/docs/pages", allow_redirects=False, timeout=60)
    assert answer.headers["Location"] == "/login?next=%2Fdocs%2Fpages"
    image = requests.get(f"{product.url}/docs/.files/docs/images/machine.png", allow_redirects=False, timeout=60)
    assert image.status_code in {303, 401}


def test_navigation_names_every_document(product: Product, reader: requests.Session) -> None:
    """Each document can be reached from the sidebar."""
    html = reader.get(f"{product.url}/docs", timeout=60).text
    missing = [file.stem for file in FILES if f'href="/docs/{file.stem}"' not in html]
    assert not missing, f"add to spaces/docs/nav.md: {missing}"


def test_include_stays_within_its_content_directory(tmp_path: Path) -> None:
    """A space includes pages and images of its content directory only, and leaves out what is neither or not there."""
    space = tmp_path / "content" / "spaces" / "book"
    (tmp_path / "content" / "texts").mkdir(parents=True)
    space.mkdir(parents=True)
    for name in ("a.md", "b.png", "c.py", ".hidden.md"):
        (tmp_path / "content" / "texts" / name).write_text(name)
    (space / "space.yaml").write_text("include: [texts, missing]\n")
    assert set(included_files(space, "space.yaml")) == {"texts/a.md", ".files/texts/b.png"}
    for wrong in (["../x"], ["/etc"], "texts", [1]):
        with pytest.raises(Exception, match="include"):
            read_include(wrong, "space.yaml")
