"""What can be wrong with a page."""

from __future__ import annotations

from typing import ClassVar

from portalfw.errors import PortalError


class WikiError(PortalError):
    """Root of the wiki's own errors."""

    code: ClassVar[str] = "internal"


class PageSyntaxError(WikiError, ValueError):
    """The text of a page cannot be understood; ``line`` counts from the first line of the file."""

    def __init__(self, message: str, line: int) -> None:
        """Keep the line beside the message."""
        super().__init__(message)
        self.line = line


class MacroError(WikiError):
    """A macro call cannot be answered; its box on the page shows the message."""


class MacroArgumentError(MacroError, ValueError):
    """An argument of a macro call is missing, unknown or of the wrong type."""

    code = "invalid"


class MacroNotFoundError(MacroError, LookupError):
    """No macro has this name."""

    code = "not-found"


class MacroDeadlineError(MacroError, TimeoutError):
    """The macro did not answer in time."""

    code = "unavailable"
