"""Actors to REST: one class of typed methods becomes validated, audited, rights-checked HTTP methods."""

from portalfw.rest.declaration import Actor, Arg, Argument, Method, method
from portalfw.rest.dispatch import Call, Dispatcher
from portalfw.rest.registry import Registry

__all__ = ["Actor", "Arg", "Argument", "Call", "Dispatcher", "Method", "Registry", "method"]
