"""Addresses of pages and links: how they are written, and how they are found again."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from portalfw.wiki.included import ATTACHED, IMAGES

FIELD = re.compile(r"\{([\w.]+)\}")
LONGEST_ID = 120  # characters
PATH_AND_REST = re.compile(r"([^?#]*)(.*)", re.DOTALL)
ABSOLUTE = re.compile(r"(?:[a-zA-Z][\w+.-]*:|[/#?])")


def page_key(name: str) -> str:
    """Return what page names are compared by: letter case, underscores and repeated blanks do not matter."""
    return re.sub(r"[\s_]+", " ", name).strip().casefold()


def page_id(space: str, name: str) -> str:
    """Return what stands behind ``page:`` in the topic of a page: ``cbgrid/virtual-machine``."""
    words = quote(page_key(name).replace(" ", "-"), safe="")
    if len(words) > LONGEST_ID:
        words = hashlib.blake2b(words.encode(), digest_size=16).hexdigest()
    return f"{space.lower()}/{words}"


def page_topic(space: str, name: str) -> str:
    """Return the topic of a page, on which changes of its text are told."""
    return f"page:{page_id(space, name)}"


def address_of(path: str, params: Mapping[str, Any]) -> str:
    """Return the address of a page with a query; parameters that are None are left out."""
    query = urlencode({name: value for name, value in params.items() if value is not None}, quote_via=quote)
    return quote(path) + (f"?{query}" if query else "")


def link(target: str, base: str, values: Mapping[str, Any]) -> str:
    """Return the address of a link's ``target``, with its ``{field}``s filled in.

    A field that begins the target is an address of its own and must be a harmless one; any other is a part of it.
    """
    from portalfw.wiki.markup import safe_address

    filled = FIELD.sub(lambda found: quote(str(field_of(values, found[1])), safe=""), _encode(target))
    if target.startswith("{"):
        whole = FIELD.match(target)
        if whole and whole.end() == len(target):
            return safe_address(str(field_of(values, whole[1])))
    return safe_address(filled) if ABSOLUTE.match(target) else base + filled


def relative_address(value: str, place: str) -> str:
    """Return below a space's address what a relative link or image of a text in its folder ``place`` leads to.

    ``../docs/pages.md#text`` is the page ``pages#text``, as it is in viewers of plain Markdown; an image is a file.
    """
    path, rest = PATH_AND_REST.fullmatch(value).groups()  # type: ignore[union-attr]  # it matches any text
    if path.endswith(".md"):
        return path.rpartition("/")[2].removesuffix(".md") + rest
    if path.lower().endswith(tuple(IMAGES)) and not path.startswith(f"{ATTACHED}/"):
        return f"{ATTACHED}/{posixpath.normpath(posixpath.join(place, path))}{rest}"
    return value


def _encode(target: str) -> str:
    return quote(target, safe="/?&=#%+,;@:!~*'()[]{}")


def field_of(values: Mapping[str, Any], name: str) -> Any:
    """Return a field of an object; ``a.b`` reads within it. An unknown one gives an empty text."""
    found: Any = values
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return "" if found is None else found
