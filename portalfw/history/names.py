"""Names of pages and files: which there may be, and where they lie in a space."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from portalfw.errors import InvalidError
from portalfw.wiki.address import page_key

LONGEST = 100  # characters of a page's or file's name
LONGEST_BYTES = 200  # a file system takes 255, and a rename needs a few more for the time between
LETTERS = frozenset("LNM")  # Unicode's letters, numbers, and the marks that belong to letters
MARKS = frozenset(" _-.,()'&+!")
TWINS = (".md", ".json")
NAV, CONFIG = "nav", "space.yaml"
FILES = ".files"  # the folder of attachments
SPACE_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
RESERVED_SPACES = frozenset(
    (
        *("agent", "api", "assets", "events", "export", "files", "healthz", "livez", "login", "logout", "metrics"),
        *("oauth", "oidc", "openapi", "readyz", "restmachine", "static", "v1", "wiki"),
    )
)


def page_name(given: str) -> str:
    """Return a page's name as it is kept.

    :raises InvalidError: saying what a name may be.
    """
    name = " ".join(unicodedata.normalize("NFC", given).split())
    if page_key(name) == NAV:
        raise InvalidError("nav is the space's navigation; choose another name.", detail={"argument": "page"})
    return _checked(name, "page")


def file_name(given: str) -> str:
    """Return an attachment's name as it is kept.

    :raises InvalidError: saying what a name may be.
    """
    return _checked(" ".join(unicodedata.normalize("NFC", given).split()), "name")


def _checked(name: str, argument: str) -> str:
    wrong = sorted({mark for mark in name if unicodedata.category(mark)[0] not in LETTERS and mark not in MARKS})
    problem = None
    if not name or len(name) > LONGEST or len(name.encode()) > LONGEST_BYTES:
        problem = f"must be of 1 to {LONGEST} characters"
    elif wrong:
        problem = f"may hold letters, digits, blanks and {''.join(sorted(MARKS)).strip()}, not {wrong[0]!r}"
    elif name[0] in ". " or name.endswith("."):
        problem = "neither begins nor ends with a dot"
    elif argument == "page" and name.lower().endswith(TWINS):
        problem = "does not end in .md or .json"
    elif not page_key(name):
        problem = "needs a letter or digit"
    if problem:
        raise InvalidError(f"The name {name[:60]!r} {problem}.", detail={"argument": argument, "problem": problem})
    return name


def space_name(given: str) -> str:
    """Return the name of a new space.

    :raises InvalidError: saying what a name may be.
    """
    name = given.strip().lower()
    if not SPACE_NAME.fullmatch(name) or name in RESERVED_SPACES:
        raise InvalidError(
            f"{given[:60]!r} cannot name a space: begin with a letter, go on with letters, digits and -, 40 at most.",
            detail={"argument": "space"},
        )
    return name


def is_page(path: str) -> bool:
    """Tell whether a file of a space is a page."""
    return path.endswith(".md") and not any(part.startswith(".") for part in path.split("/"))


def name_of(path: str) -> str:
    """Return the name of the page in a file."""
    return path.rpartition("/")[2].removesuffix(".md")


def pages_in(paths: Iterable[str]) -> dict[str, str]:
    """Return the files of pages by page key; of two of one name the one nearer to the top."""
    found: dict[str, str] = {}
    for path in sorted(filter(is_page, paths), key=lambda path: (path.count("/"), path)):
        found.setdefault(page_key(name_of(path)), path)
    return found
