"""Search as you type over pages and objects, under the viewer's rights."""

from portalfw.search.declaration import Searchable, Viewer, searchable_of
from portalfw.search.find import Found, Group, Hit
from portalfw.search.search import Search

__all__ = ["Found", "Group", "Hit", "Search", "Searchable", "Viewer", "searchable_of"]
