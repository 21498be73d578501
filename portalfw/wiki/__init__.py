"""Portals as Markdown pages: spaces, pages, macros and how they are rendered."""

from portalfw.wiki.block import Block
from portalfw.wiki.context import MacroContext
from portalfw.wiki.macro import Address, Macro, macro
from portalfw.wiki.page import Page
from portalfw.wiki.space import Space
from portalfw.wiki.views import Moved, PageView, Twin
from portalfw.wiki.wiki import Wiki

__all__ = ["Address", "Block", "Macro", "MacroContext", "Moved", "Page", "PageView", "Space", "Twin", "Wiki", "macro"]
