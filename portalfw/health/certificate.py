"""When the certificate that the portal shows runs out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cryptography import x509

from portalfw.extension import health_check
from portalfw.health.findings import Finding, graded
from portalfw.offload import offload

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

DAYS: Final = (21, 7)  # left: warning, error; renewing usually begins 30 days before the end
DAY: Final = 86400.0


@health_check("Certificate", every=3600)
def certificate(runtime: Runtime) -> Iterator[Finding]:
    """Whether the certificate of the portal's own TLS is good for some time."""
    file = runtime.settings.tls_certificate
    if file is None:
        yield Finding("tls", "SKIPPED", "The portal serves no TLS of its own")
        return
    ends = x509.load_pem_x509_certificate(offload(file.expanduser().read_bytes)).not_valid_after_utc
    left = (ends - dt.datetime.now(dt.UTC)).total_seconds() / DAY
    state = graded(-left, warning=-DAYS[0], error=-DAYS[1])
    yield Finding("tls", state, f"The TLS certificate is good until {ends:%Y-%m-%d}, for {left:.0f} days")
