"""Writes docs/sal/: a page for each module of the System Abstraction Layer, from its docstrings and signatures.

``python tools/sal_docs.py`` writes the pages and the table in docs/sal.md, ``--check`` fails when any is stale.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "sal"
INDEX = REPOSITORY / "docs" / "sal.md"
FOLDER = REPOSITORY / "docs" / "sal"
BEGIN, END = "<!-- modules: written by tools/sal_docs.py -->", "<!-- end of modules -->"
WIDTH = 100

Definition = ast.FunctionDef | ast.ClassDef


class Module:
    """A module or package of the SAL, as its source says it."""

    def __init__(self, file: Path) -> None:
        """Read the source."""
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        self.is_package = parts[-1] == "__init__"
        self.name = ".".join(parts[:-1] if self.is_package else parts)
        self.path = file.relative_to(REPOSITORY).as_posix()
        self.lines = file.read_text(encoding="utf-8").splitlines()
        self.tree = ast.parse("\n".join(self.lines))
        self.doc = ast.get_docstring(self.tree) or ""

    @property
    def public(self) -> list[Definition]:
        """Its public classes and functions, as they follow each other."""
        return [one for one in self.tree.body if isinstance(one, Definition) and not one.name.startswith("_")]

    @property
    def values(self) -> Iterator[tuple[str, str]]:
        """Its public constants that say what they are, in a docstring below or a comment ``#:`` above."""
        yield from documented(self.tree.body, self.lines, constants=True)


def documented(body: list[ast.stmt], lines: list[str], *, constants: bool = False) -> Iterator[tuple[str, str]]:
    """Yield assignments of a module or class as source, with what is said of them."""
    for one, following in zip(body, [*body[1:], None], strict=True):
        if not isinstance(one, ast.Assign | ast.AnnAssign):
            continue
        target = one.target if isinstance(one, ast.AnnAssign) else one.targets[0]
        name = ast.unparse(target)
        said = _string(following) or _comment(lines, one.lineno)
        if name.startswith("_") or (constants and not said):
            continue
        written = ast.get_source_segment("\n".join(lines), one) or ""
        is_short = "\n" not in written and len(written) <= WIDTH
        yield (written if is_short else f"{source(one).partition(' = ')[0]} = ..."), said


def page(module: Module, all_modules: list[Module]) -> Iterator[str]:
    """Yield the lines of a module's page."""
    yield from (f"# sal.{module.name}", "", prose(module.doc), "")
    yield from (f"`{module.path}` of the [System Abstraction Layer](../sal.md).", "")
    if module.is_package:
        yield from (*table(within(module.name, all_modules), ""), "")
    classes = [one for one in module.public if isinstance(one, ast.ClassDef)]
    functions = [one for one in module.public if isinstance(one, ast.FunctionDef)]
    if functions:
        yield from ("## Functions", "")
        for function in functions:
            yield from _function(function, "###")
    if classes:
        yield from ("## Classes", "")
        for one in classes:
            yield from _class(one, module.lines)
    values = list(module.values)
    if values:
        yield from ("## Values", "")
        for text, said in values:
            yield from (*_code(text), "", prose(said), "")


def index(found: list[Module]) -> Iterator[str]:
    """Yield the rooms of the package, each with its modules."""
    packages = [one for one in found if one.is_package]
    for one in packages:
        yield from (f"### [sal.{one.name}](sal/{one.name}.md)", "", _first(one), "")
        yield from (*table(within(one.name, found), "sal/"), "")
    yield from ("### sal", "", "What all of these stand on, and what belongs to none of them.", "")
    alone = [one for one in found if "." not in one.name and not one.is_package]
    yield from table(alone, "sal/")


def within(package: str, found: list[Module]) -> list[Module]:
    """Return the modules of a package."""
    return [one for one in found if one.name.startswith(f"{package}.")]


def table(modules: list[Module], folder: str) -> Iterator[str]:
    """Yield a table of modules with the first sentence of each."""
    yield from ("| module | what for |", "|---|---|")
    for one in modules:
        yield f"| [{one.name.rpartition('.')[2]}]({folder}{one.name}.md) | {_first(one)} |"


def source(node: ast.AST) -> str:
    """Return code as the formatter writes it."""
    text = ast.unparse(node)
    return text if '"' in text else text.replace("'", '"')


def _first(module: Module) -> str:
    return prose(module.doc).partition("\n")[0].replace("|", r"\|")


def _class(node: ast.ClassDef, lines: list[str]) -> Iterator[str]:
    methods = [one for one in node.body if isinstance(one, ast.FunctionDef)]
    made = next((one for one in methods if one.name == "__init__"), None)
    bases = f"({', '.join(ast.unparse(one) for one in node.bases)})" if node.bases else ""
    fields = [] if _is_plain(node) else list(documented(node.body, lines))
    text = "\n".join([f"class {node.name}{bases}", *(f"    {field}" for field, _ in fields)])
    yield from (f"### {node.name}", "", *_code(signature(made, node.name) if made else text), "")
    for said in filter(None, (ast.get_docstring(node), made and ast.get_docstring(made))):
        yield from (prose(said), "")
    for field, said in fields:
        if said:
            yield from (f"* `{field.partition(':')[0]}`: {prose(said)}", "")
    for one in methods:
        if not one.name.startswith("_"):
            yield from _function(one, "####", node.name)


def _is_plain(node: ast.ClassDef) -> bool:
    return not any("dataclass" in ast.unparse(one) for one in node.decorator_list)


def _function(node: ast.FunctionDef, level: str, owner: str = "") -> Iterator[str]:
    name = f"{owner}.{node.name}" if owner else node.name
    is_value = any(ast.unparse(one) in {"property", "functools.cached_property"} for one in node.decorator_list)
    shown = f"{name}: {_returned(node)}" if is_value else signature(node, name)
    yield from (f"{level} {name}", "", *_code(shown), "", prose(ast.get_docstring(node) or ""), "")


def signature(node: ast.FunctionDef, name: str) -> str:
    """Return a function's signature as source, on several lines if one is too narrow."""
    inner = list(_arguments(node.args))
    end = f" -> {_returned(node)}" if node.name != "__init__" else ""
    whole = f"{name}({', '.join(inner)}){end}"
    return whole if len(whole) <= WIDTH else f"{name}(\n{''.join(f'    {one},{chr(10)}' for one in inner)}){end}"


def _arguments(found: ast.arguments) -> Iterator[str]:
    places = found.posonlyargs + found.args
    for one, default in zip(places, [None] * (len(places) - len(found.defaults)) + found.defaults, strict=True):
        if one.arg not in {"self", "cls"}:
            yield _argument(one, default)
    if found.vararg or found.kwonlyargs:
        yield f"*{_argument(found.vararg, None) if found.vararg else ''}"
    for one, default in zip(found.kwonlyargs, found.kw_defaults, strict=True):
        yield _argument(one, default)
    if found.kwarg:
        yield f"**{_argument(found.kwarg, None)}"


def _argument(one: ast.arg, default: ast.expr | None) -> str:
    kind = f": {source(one.annotation)}" if one.annotation else ""
    return f"{one.arg}{kind}" + (f" = {source(default)}" if default else "")


def prose(text: str) -> str:
    """Return a docstring as Markdown: names are code, and nothing is taken for a macro or an expression."""
    code = re.sub(r"``?([^`]+)``?", r"`\1`", text)
    return re.sub(r"`[^`]*`|[<{$\[]", lambda found: found[0] if len(found[0]) > 1 else f"\\{found[0]}", code)


def _returned(node: ast.FunctionDef) -> str:
    return source(node.returns) if node.returns else "None"


def _code(text: str) -> list[str]:
    return ["```python", text, "```"]


def _string(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return re.sub(r"\s+", " ", node.value.value)
    return ""


def _comment(lines: list[str], number: int) -> str:
    """Return the comment ``#:`` above a line."""
    found: list[str] = []
    for line in reversed(lines[: number - 1]):
        words = line.strip()
        if not words.startswith("#:"):
            break
        found.insert(0, words.removeprefix("#:").strip())
    return " ".join(found)


def modules() -> list[Module]:
    """Return the package's modules by name; the package itself is the index."""
    found = [Module(file) for file in PACKAGE.rglob("*.py")]
    return sorted((one for one in found if one.name), key=lambda one: one.name)


def documents() -> dict[Path, str]:
    """Return what each document should hold."""
    found = modules()
    pages = {FOLDER / f"{one.name}.md": "\n".join(page(one, found)).rstrip() + "\n" for one in found}
    text = INDEX.read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    lines = "\n".join(index(found))
    return {INDEX: f"{before}{BEGIN}\n\n{lines}\n\n{END}{after}", **pages}


def main() -> int:
    """Write or check the documents; return the exit status."""
    wanted = documents()
    there = {INDEX, *FOLDER.glob("*.md")}
    stale = [file for file in wanted if not file.exists() or file.read_text(encoding="utf-8") != wanted[file]]
    stale += sorted(there - wanted.keys())
    if "--check" in sys.argv:
        for file in stale:
            print(f"{file.relative_to(REPOSITORY)} is stale; run: python tools/sal_docs.py")
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for file in stale:
        if file in wanted:
            file.write_text(wanted[file], encoding="utf-8")
        else:
            file.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
