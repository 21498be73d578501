"""The mail server that the settings name, and one conversation with it."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Self

from portalfw.errors import ConflictError

if TYPE_CHECKING:
    from portalfw.settings import Settings

TIMEOUT: Final = 20.0  # seconds for each step of the conversation
PERMANENT: Final = range(500, 600)  # answers after which trying again is no use (RFC 5321, section 4.2.1)
LONGEST: Final = 500  # characters of an answer that are kept


class RefusedError(Exception):
    """The relay did not take the message; ``permanent`` tells that it never will."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        """Keep the reason, in the relay's own words where it gave some."""
        super().__init__(reason[:LONGEST])
        self.permanent = permanent


@dataclass(frozen=True)
class Relay:
    """Where mail is handed in, and as whom."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    user: str
    password: str
    sender: str

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the relay of the settings.

        :raises ConflictError: if there is none, or it would be told a password in the clear.
        """
        if not settings.smtp_host or not settings.mail_from:
            raise ConflictError("No mail relay is configured: set smtp_host and mail_from, and smtp_user if it asks.")
        password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
        if settings.smtp_user and settings.smtp_security == "none":
            raise ConflictError("smtp_security is none: the password would travel in the clear; set starttls or tls.")
        return cls(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_security,
            settings.smtp_user or "",
            password,
            settings.mail_from,
        )

    def hand_in(self, receiver: str, source: bytes) -> None:
        """Hand in one message.

        :raises RefusedError: saying why it was not taken, and whether that may change.
        """
        try:
            smtp = self._connected()
            try:
                smtp.sendmail(self.sender, [receiver], source)
            finally:
                with contextlib.suppress(smtplib.SMTPException, OSError):  # it is taken, or refused, by now
                    smtp.quit()
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            raise _refused(code, answer) from error
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPNotSupportedError as error:
            raise RefusedError(f"The relay cannot do what is set: {error}", permanent=True) from error
        except (smtplib.SMTPException, OSError) as error:
            reason = f"{self.host}:{self.port}: {type(error).__name__}: {error}"
            raise RefusedError(reason, permanent=False) from error

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()  # checks certificate and name
        name = socket.gethostname()
        smtp: smtplib.SMTP
        if self.security == "tls":
            smtp = smtplib.SMTP_SSL(self.host, self.port, name, timeout=TIMEOUT, context=context)
        else:
            smtp = smtplib.SMTP(self.host, self.port, name, timeout=TIMEOUT)
        try:
            if self.security == "starttls":
                smtp.starttls(context=context)
            if self.user:
                smtp.login(self.user, self.password)
        except BaseException:
            smtp.close()
            raise
        return smtp


def _refused(code: int, answer: bytes | str) -> RefusedError:
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return RefusedError(f"{code} {text}", permanent=code in PERMANENT)
