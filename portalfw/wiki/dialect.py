"""The Markdown of pages: which extensions it has, and what the library would do in vain for every page left out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast
from xml.etree import ElementTree as ET

from markdown import Markdown
from markdown.extensions import Extension
from markdown.extensions.toc import TocExtension, TocTreeprocessor
from markdown.inlinepatterns import SimpleTagInlineProcessor
from markdown.treeprocessors import InlineProcessor, Treeprocessor
from markdown.util import AtomicString

CONTENTS: Final = "[TOC]"
#: What a text must hold for an inline pattern to match in it; those without an entry are always tried.
MARKS: Final[Mapping[str, tuple[str, ...]]] = {
    "backtick": ("`",),
    "escape": ("\\",),
    "footnote": ("[^",),
    "reference": ("[",),
    "link": ("[",),
    "image_link": ("![",),
    "image_reference": ("![",),
    "short_reference": ("[",),
    "short_image_ref": ("![",),
    "autolink": ("<",),
    "automail": ("<",),
    "linebreak": ("  \n",),
    "html": ("<",),
    "entity": ("&",),
    "em_strong": ("*", "_"),
    "struck": ("~~",),
}
MARK: Final = re.compile("|".join(sorted({re.escape(mark) for marks in MARKS.values() for mark in marks})))
BEFORE_INLINE: Final = 25  # the library's own inline patterns run at 20


class Struck(Extension):
    """``~~text~~`` is struck out."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - the name that Markdown calls
        """Add the pattern."""
        md.inlinePatterns.register(SimpleTagInlineProcessor(r"(~~)(?!\s)(.+?)(?<!\s)~~", "del"), "struck", 55)


class _Contents(TocTreeprocessor):
    """Names headings; makes the list of contents only for a text that asks for it."""

    def run(self, doc: ET.Element) -> None:
        """Work through a text."""
        self.marker = CONTENTS if CONTENTS in "".join(doc.itertext()) else ""
        super().run(doc)

    def build_toc_div(self, toc_list: list[Any]) -> ET.Element:
        """Make the list, or an empty stand-in if nobody will see it."""
        return super().build_toc_div(toc_list) if self.marker else ET.Element("div")


class _ContentsExtension(TocExtension):
    """Headings with names that links can lead to, and ``[TOC]``."""

    TreeProcessorClass = _Contents


class _Marked(Treeprocessor):
    """Lets the inline patterns look only where they can find something.

    Without it, each of them looks for its mark in each cell of a table.
    """

    def run(self, root: ET.Element) -> None:
        """Leave out patterns without a mark in the whole text, and texts without any mark."""
        text = "".join(root.itertext())
        patterns = self.md.inlinePatterns
        idle = [patterns[name] for name, marks in MARKS.items() if not any(mark in text for mark in marks)]
        inline = cast("InlineProcessor", self.md.treeprocessors["inline"])
        # It is only ever counted and reached by number, so that a list does.
        inline.inlinePatterns = [pattern for pattern in patterns if pattern not in idle]  # type: ignore[assignment]
        for element in root.iter():
            if element.text and not MARK.search(element.text):
                element.text = AtomicString(element.text)


class _MarkedExtension(Extension):
    """The same result, sooner."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - the name that Markdown calls
        """Add the step."""
        md.treeprocessors.register(_Marked(md), "marked", BEFORE_INLINE)


EXTENSIONS: Final = ("tables", "fenced_code", "footnotes", "def_list", "attr_list", "admonition", "sane_lists")
OWN: Final[Sequence[type[Extension]]] = (_ContentsExtension, Struck, _MarkedExtension)


class PageMarkdown(Markdown):
    """Converts texts, one after the other: :meth:`reset` comes between."""

    def __init__(self) -> None:
        """Set up the extensions, which takes longer than many a page."""
        super().__init__(extensions=[*EXTENSIONS, *(extension() for extension in OWN)], output_format="html")
        self._blocks = frozenset(self.block_level_elements)

    def is_block_level(self, tag: object) -> bool:
        """Tell whether a tag makes a block, without going through the list of all of them."""
        return isinstance(tag, str) and (tag in self._blocks or tag.lower().rstrip("/") in self._blocks)
