"""A mail relay as others run it, for tests to send to: aiosmtpd with STARTTLS and passwords, in a process of its own.

``python relay.py CERTIFICATE KEY FOLDER`` prints its port and writes each message that it takes to FOLDER. It refuses
``nobody@…`` for good, and ``later@…`` at the first attempt.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

USER, PASSWORD = b"portal", b"opensesame"
_numbers = itertools.count(1)


class Box:
    """Takes messages."""

    def __init__(self, folder: Path) -> None:
        """Write to ``folder``."""
        self.folder = folder
        self.refused: set[str] = set()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        """Refuse some receivers."""
        if address.startswith("nobody@"):
            return "550 5.1.1 There is nobody of this name"
        if address.startswith("later@") and address not in self.refused:
            self.refused.add(address)
            return "451 4.7.1 Come again"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Write the message down."""
        facts = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None,
            "user": session.authenticated,
            "source": bytes(envelope.content or b"").decode(),
        }
        file = self.folder / f"{next(_numbers)}.json"
        file.with_suffix(".part").write_text(json.dumps(facts))
        file.with_suffix(".part").rename(file)
        return "250 Taken"


def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
    """Let one user in."""
    return AuthResult(success=(data.login, data.password) == (USER, PASSWORD), handled=True)


async def serve(certificate: str, key: str, folder: Path) -> None:
    """Serve until killed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    box = Box(folder)

    def session() -> SMTP:
        return SMTP(
            box,
            authenticator=authenticate,
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            hostname="relay",
        )

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - for who starts it
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
