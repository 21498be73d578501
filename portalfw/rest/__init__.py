"""Actors to REST: one class of typed methods becomes validated, audited, rights-checked HTTP methods."""

from portalfw.rest.arguments import Arg
from portalfw.rest.columns import Column, Columns, NameOf
from portalfw.rest.declaration import Actor, Argument, Method, method
from portalfw.rest.dispatch import Call, Dispatcher
from portalfw.rest.listing import Listing, Page
from portalfw.rest.registry import Registry

__all__ = [
    "Actor",
    "Arg",
    "Argument",
    "Call",
    "Column",
    "Columns",
    "Dispatcher",
    "Listing",
    "Method",
    "NameOf",
    "Page",
    "Registry",
    "method",
]
