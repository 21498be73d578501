"""Making a message: nothing that a caller gives can become a header of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime, make_msgid
from typing import Final, Literal

from portalfw.errors import InvalidError

POLICY: Final = SMTP.clone(cte_type="7bit")  # so that every relay takes it as it is
ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,188}[A-Za-z0-9])?")
LONGEST_SUBJECT: Final = 200  # characters
LONGEST_BODY: Final = 100_000  # characters
LONGEST_NAME: Final = 100  # characters
HTML_ONLY: Final = "This message is meant to be read as HTML."


@dataclass(frozen=True)
class Letter:
    """What is to be sent, but for the address that it goes to."""

    subject: str
    body: str
    kind: Literal["text", "html"] = "text"
    sender_name: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be a letter; raises InvalidError, naming the argument."""
        self._check("subject", self.subject, LONGEST_SUBJECT)
        self._check("sender_name", self.sender_name, LONGEST_NAME)
        if len(self.body) > LONGEST_BODY:
            raise InvalidError(f"body: {LONGEST_BODY} characters at most.", detail={"argument": "body"})

    @staticmethod
    def _check(argument: str, text: str, longest: int) -> None:
        if len(text) > longest or not text.isprintable():
            message = f"{argument}: one line of {longest} characters at most, without control characters."
            raise InvalidError(message, detail={"argument": argument})

    def source(self, sender: str, receiver: str) -> bytes:
        """Return the message from ``sender`` to ``receiver`` as it travels, with an id of its own."""
        message = EmailMessage(policy=POLICY)
        message["From"] = Address(display_name=self.sender_name, addr_spec=sender)
        message["To"] = Address(addr_spec=receiver)
        message["Subject"] = self.subject
        message["Date"] = format_datetime(localtime())
        message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        text = self.body.encode("utf-8", "replace").decode()  # lone surrogates cannot travel
        message.set_content(HTML_ONLY if self.kind == "html" else text)
        if self.kind == "html":
            message.add_alternative(text, subtype="html")
        return message.as_bytes()


def checked_address(address: str) -> str:
    """Return an address that mail can go to.

    :raises InvalidError: if it is none.
    """
    found = address.strip()
    if not ADDRESS.fullmatch(found):
        raise InvalidError(f"{address[:80]!r} is no e-mail address.", detail={"argument": "receiver_email"})
    return found
