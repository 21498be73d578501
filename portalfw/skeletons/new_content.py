"""Writing a new space, macro, actor or JumpScript, with its test, into a content directory."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from portalfw.errors import ConflictError, InvalidError
from portalfw.history.names import space_name
from portalfw.settings import REPOSITORY

Kind = Literal["space", "macro", "actor", "jumpscript"]
SKELETONS: Final = Path(__file__).parent
LAYOUT: Final = ("spaces", "macros/templates", "actors", "jumpscripts", "tests")
ENDING: Final = ".txt"  # what skeletons end in, so that nobody takes them for the real thing
COMMON: Final = "common"  # what every content directory has
WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
PLAIN: Final = re.compile(r"[a-z][a-z0-9]{0,39}")
TWO: Final = {"actor": "app/actor, such as library/book", "jumpscript": "category/script, such as library/dust"}
DECLARED: Final = re.compile(r"^@macro\s+def (\w+)\(", re.MULTILINE)


@dataclass(frozen=True)
class Written:
    """What was written: files relative to the content directory, and the name in its pieces."""

    folder: Path
    files: tuple[Path, ...]
    app: str
    name: str


def write_new(kind: Kind, name: str, folder: Path) -> Written:
    """Write a working example of ``kind`` and its test into the content directory ``folder``, made if it is not there.

    :raises InvalidError: if there cannot be one of this name.
    :raises ConflictError: if there is one already; nothing is written then.
    """
    app, own = _names(kind, name)
    words = {"app": app, "name": own, "title": _title(own), "class": _title(own).replace(" ", "")}
    texts = dict(_texts(SKELETONS / kind, words))
    _check_free(kind, own, folder, texts)
    for room in LAYOUT:
        (folder / room).mkdir(parents=True, exist_ok=True)
    common = {path: text for path, text in _texts(SKELETONS / COMMON, words) if not (folder / path).exists()}
    for path, text in {**common, **texts}.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    return Written(folder, (*common, *texts), app, own)


def _names(kind: Kind, name: str) -> tuple[str, str]:
    if kind == "space":
        return "", space_name(name)
    if kind == "macro":
        return "", _word(name, name, WORD, "a macro's name")
    app, slash, own = name.partition("/")
    if not slash:
        raise InvalidError(f"The name of {_a(kind)} is {TWO[kind]}; {name[:60]!r} has one part only.")
    pattern = PLAIN if kind == "actor" else WORD
    return _word(app, name, pattern, TWO[kind]), _word(own, name, pattern, TWO[kind])


def _word(word: str, whole: str, pattern: re.Pattern[str], wanted: str) -> str:
    if not pattern.fullmatch(word) or keyword.iskeyword(word):
        more = " and _" if pattern is WORD else ""
        raise InvalidError(
            f"{whole[:60]!r} cannot be {wanted}: begin with a small letter, go on with small letters, digits{more}, "
            "40 at most, and use no word of Python's own."
        )
    return word


def _title(name: str) -> str:
    return " ".join(part.capitalize() for part in re.split(r"[_-]", name) if part)


def _texts(skeleton: Path, words: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """Yield path and text of each file of a skeleton, with the names put in."""
    for file in sorted(skeleton.rglob(f"*{ENDING}")):
        path = file.relative_to(skeleton).as_posix().removesuffix(ENDING)
        text = file.read_text(encoding="utf-8")
        for word, value in words.items():
            path = path.replace(f"_{word}_", value.replace("-", "_") if "tests/" in path else value)
            text = text.replace(f"«{word}»", value)
        yield Path(path), text


def _check_free(kind: Kind, name: str, folder: Path, texts: Mapping[Path, str]) -> None:
    for root in (folder, REPOSITORY):
        there = next((root / path for path in texts if (root / path).exists()), None)
        if there is None and kind == "space" and (root / "spaces" / name).exists():
            there = root / "spaces" / name
        if there is None and kind == "macro":
            there = _declaring(root / "macros", name)
        if there is not None:
            raise ConflictError(f"There is {_a(kind)} {name} already: {there}. Choose another name.")


def _declaring(room: Path, name: str) -> Path | None:
    """Return the module of a room that declares a macro."""
    return next((file for file in sorted(room.rglob("*.py")) if name in DECLARED.findall(file.read_text())), None)


def _a(kind: Kind) -> str:
    return {"actor": "an actor", "jumpscript": "a JumpScript"}.get(kind, f"a {kind}")
