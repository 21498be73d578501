"""Consoles: the screen of something on a node, in a browser.

An actor issues a single-use ticket; the browser opens a WebSocket with it; a job has the node open another one
outwards; the process where both meet carries the bytes between them. This room knows nothing of machines.
"""

from portalfw.console.consoles import EVENTS, Consoles, Screen

__all__ = ["EVENTS", "Consoles", "Screen"]
