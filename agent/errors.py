"""What can go wrong in the agent."""

from __future__ import annotations


class AgentError(Exception):
    """Root of the agent's errors."""


class SettingsError(AgentError, ValueError):
    """A setting with which the agent cannot run."""


class RefusedError(AgentError, PermissionError):
    """The controller does not know this agent (any more): bad join token, revoked credential, other protocol."""


class AwayError(AgentError, ConnectionError):
    """The controller cannot be reached or cannot answer now; worth trying again."""


class UntrustedError(AwayError):
    """Whoever answers does not show that it is the controller; mended on either side, then worth trying again."""


class FailingError(AwayError):
    """The controller was reached and could not do this one thing now; others may work."""


class RejectedError(AgentError):
    """The controller answered that this request makes no sense (any more)."""

    def __init__(self, message: str, *, status: int, code: str) -> None:
        """Keep the HTTP status and the code of the controller's error."""
        super().__init__(message)
        self.status = status
        self.code = code
