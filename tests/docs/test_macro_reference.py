"""Each macro has a page of reference, made from its declaration, with an example that works for everybody."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from product import REPOSITORY, Product

from docs.test_docs_space import article
from portalfw.content import Content
from portalfw.wiki.macro import Macro, Macros

MACROS: list[Macro] = list(Macros.of_modules(Content([REPOSITORY]).modules("macros")))


def example(macro: Macro) -> Path:
    return Path(macro.function.__code__.co_filename).parent / "examples" / f"{macro.name}.md"


def test_every_macro_has_an_example() -> None:
    """An example lies beside each macro, and calls it; the failure names the files to add."""
    missing = [f"{example(one)} with a call {{{{{one.name} …}}}}" for one in MACROS if not example(one).is_file()]
    assert not missing, "add " + "; ".join(missing)
    assert [one.name for one in MACROS if f"{{{{{one.name}" not in example(one).read_text()] == []


def test_every_example_belongs_to_a_macro() -> None:
    """No example is left of a macro that is gone."""
    names = {one.name for one in MACROS}
    assert [file.name for file in (REPOSITORY / "macros" / "examples").glob("*.md") if file.stem not in names] == []


@pytest.mark.parametrize("name", [one.name for one in MACROS if example(one).is_file()])
def test_an_example_works_for_any_user(product: Product, reader: requests.Session, name: str) -> None:
    """The reference of a macro shows its example's source and result without an error box."""
    html = article(product, reader, f"/docs/Macro?name={name}")
    assert "macro-error" not in html, html.partition("macro-error")[2][:500]
    assert f"{{{{{name}" in html.partition("<pre")[2].partition("</pre>")[0]
    assert html.partition('<div class="example-result">')[2].lstrip()[:1] == "<"


def test_arguments_come_from_the_declaration(product: Product, reader: requests.Session) -> None:
    """Names, types, defaults and meanings are those of the function."""
    html = article(product, reader, "/docs/Macro?name=history")
    rows = html.partition("<tbody>")[2].partition("</tbody>")[0].split("<tr>")[1:]
    macro = next(one for one in MACROS if one.name == "history")
    assert len(rows) == len(macro.parameters)
    limit, at = next(row for row in rows if ">limit<" in row), next(row for row in rows if ">at<" in row)
    assert "a whole number" in limit
    assert "<code>20</code>" in limit
    assert "field of the time" in at
    api = article(product, reader, "/docs/Macro?name=count").partition("<tbody>")[2]
    assert "an API address" in api
    assert "required" in api


def test_the_overview_lists_all(product: Product, reader: requests.Session) -> None:
    """Every macro of the installation is linked on the page Macros."""
    html = article(product, reader, "/docs/Macros")
    assert [one.name for one in MACROS if f'href="/docs/Macro?name={one.name}"' not in html] == []


def test_a_macro_that_there_is_not(product: Product, reader: requests.Session) -> None:
    """The reference of an unknown macro says so in its place."""
    assert "there is no macro" in article(product, reader, "/docs/Macro?name=nothing")
