"""The reference of macros: what there is, its arguments and a live example, made from the declarations."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from portalfw.wiki import Block, MacroContext, macro
from portalfw.wiki.macro import Macro, Parameter
from portalfw.wiki.page import compile_page

EXAMPLES = "examples"  # the folder beside a macro's module


@macro
def macro_list(ctx: MacroContext) -> Block:
    """All macros of this installation, by the module that declares them, with links to their reference."""
    kept = sorted(ctx.wiki.macros, key=lambda one: (_module(one), one.name))
    groups = [
        {"title": title, "macros": [{"name": one.name, "summary": _spans(_summary(one.doc))} for one in group]}
        for title, group in groupby(kept, key=_module)
    ]
    return ctx.render("macro_list.html", groups=groups)


@macro
def macro_reference(ctx: MacroContext, name: str) -> Block:
    """Describe one macro: its arguments with types and defaults, and its example with what that shows.

    name: the macro.
    """
    found = ctx.wiki.macros.find(name)
    meanings = _meanings(found)
    arguments = [_argument(one, meanings.get(one.name, "")) for one in found.parameters]
    example = example_of(found)
    return ctx.render(
        "macro_reference.html",
        doc=[_spans(part) for part in _prose(found, meanings)],
        arguments=arguments,
        source=example,
        result=_shown(ctx, found.name, example) if example else None,
        wanted=f"{EXAMPLES}/{name}.md",
    )


def example_of(found: Macro) -> str | None:
    """Return the example that lies beside a macro's module, ``examples/NAME.md``; None without one."""
    file = Path(found.function.__code__.co_filename).parent / EXAMPLES / f"{found.name}.md"
    return file.read_text(encoding="utf-8").strip() if file.is_file() else None


def _shown(ctx: MacroContext, name: str, example: str) -> Any:
    """Render an example as a page of its own within this one, with the viewer's rights."""
    page = compile_page(ctx.page.space, ctx.page.name, Path(EXAMPLES, f"{name}.md"), 0.0, example)
    html, topics = ctx.wiki.include(page, ctx.place, ctx.key)
    ctx.watch(*topics)
    return html


def _module(found: Macro) -> str:
    """Return what a macro's module is about: the first line of its docstring."""
    module = sys.modules.get(found.function.__module__)
    return _summary(inspect.getdoc(module) or found.function.__module__).partition(":")[0].rstrip(".")


def _summary(doc: str) -> str:
    return " ".join(doc.partition("\n\n")[0].split())


def _argument(one: Parameter, meaning: str) -> dict[str, Any]:
    default = "" if one.required or one.default is None else json.dumps(one.default, ensure_ascii=False)
    return {
        "name": one.name,
        "type": one.type_name,
        "required": one.required,
        "default": default,
        "meaning": _spans(meaning),
    }


def _meanings(found: Macro) -> dict[str, str]:
    """Return what a docstring says of the arguments: ``name: …``, ``one, other (remark): …`` for several at once."""
    text = " ".join(found.doc.partition("\n\n")[2].split())
    places = list(_said(found).finditer(text))
    ends = [*(place.start() for place in places[1:]), len(text)]
    meanings = {}
    for place, end in zip(places, ends, strict=False):
        words = text[place.end() : end].strip().removesuffix(" or").rstrip(";. ")
        for part in place[1].split(", "):
            name, _, remark = part.partition(" (")
            meanings[name] = f"{words} ({remark}" if remark else words
    return meanings


def _said(found: Macro) -> re.Pattern[str]:
    names = "|".join(re.escape(one.name) for one in found.parameters) or "$^"
    name = rf"(?:{names})(?: \([^)]*\))?"
    return re.compile(rf"(?<![\w`]){_listed(name)}: ")


def _listed(name: str) -> str:
    return rf"({name}(?:, {name})*)"


def _prose(found: Macro, meanings: Mapping[str, str]) -> Iterator[str]:
    """Yield the docstring's paragraphs that are not about single arguments."""
    for part in found.doc.split("\n\n"):
        text = " ".join(part.split())
        first = _said(found).search(text) if meanings else None
        before = text[: first.start()].strip() if first else text
        if before:
            yield before


def _spans(text: str) -> list[dict[str, Any]]:
    """Return a text in pieces, those between double backquotes as code."""
    parts = text.split("``")
    return [{"text": part, "code": number % 2 == 1} for number, part in enumerate(parts) if part]
