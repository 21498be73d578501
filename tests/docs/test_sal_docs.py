"""docs/sal/ says what the modules of the SAL say of themselves, and is read in the portal."""

from __future__ import annotations

import re
import subprocess
import sys

import requests
from product import REPOSITORY, Product

PAGES = sorted(file.stem for file in (REPOSITORY / "docs" / "sal").glob("*.md"))


def test_the_pages_are_not_stale() -> None:
    """Each module has its page as ``tools/sal_docs.py`` writes it now, and no page is without module."""
    command = [sys.executable, str(REPOSITORY / "tools" / "sal_docs.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_module_is_a_page(product: Product, reader: requests.Session) -> None:
    """The page of the SAL leads to each module's page, which shows its functions and leads back."""
    index = reader.get(f"{product.url}/docs/sal", timeout=60).text
    assert sorted(re.findall(r'<(?:td|h3 id="[^"]*")><a href="/docs/([\w.]+)"', index)) == PAGES
    for name in PAGES:
        answer = reader.get(f"{product.url}/docs/{name}", timeout=60)
        assert answer.status_code == 200, name
        assert f"<title>sal.{name} · Docs</title>" in answer.text
        assert "macro-error" not in answer.text, name
        assert 'href="/docs/sal"' in answer.text, name
