"""The Agent Controller: nodes that enter and connect, JumpScripts, and jobs that cannot get lost."""

from portalfw.controller.controller import Controller

__all__ = ["Controller"]
