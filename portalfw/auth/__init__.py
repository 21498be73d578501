"""Users, groups, sessions, tokens, and who may do what."""

from portalfw.auth.policy import Grant, Policy
from portalfw.auth.principal import GUEST, SYSTEM, Principal

__all__ = ["GUEST", "SYSTEM", "Grant", "Policy", "Principal"]
