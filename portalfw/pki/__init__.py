"""A private certificate authority, and the certificate of the portal that it signs."""

from portalfw.pki.folder import PkiFolder
from portalfw.pki.told import Authority

__all__ = ["Authority", "PkiFolder"]
