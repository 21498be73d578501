"""What can go wrong on a node."""


class SalError(Exception):
    """Root of all errors of this package; the message names the object, what was wrong and what to do."""


class SpecError(SalError, ValueError):
    """What was asked for makes no sense: a missing field, a bad address, a name too long for the kernel."""


class CommandError(SalError, OSError):
    """A command of the system failed; the message holds the command and its complaint, ``status`` how it ended."""

    status: int | None = None


class CommandTimeoutError(CommandError, TimeoutError):
    """A command of the system did not end within its time limit."""


class MissingToolError(SalError, FileNotFoundError):
    """A command of the system is not installed; the message names the Debian package."""


class HypervisorMissingError(SalError, ImportError):
    """The Python binding of libvirt is not installed here."""


class HypervisorError(SalError, OSError):
    """libvirt refused or failed; the message holds its own."""


class MachineMissingError(HypervisorError, LookupError):
    """There is no machine of this name on the node."""


class ScreenError(HypervisorError):
    """A machine has no screen that can be shown now: it is off, simulated, or was started without one."""


class StorageError(SalError, OSError):
    """A volume or pool could not be read or made."""


class VolumeMissingError(StorageError, LookupError):
    """There is no volume of this name in the site's pool."""


class ImageError(SalError, ValueError):
    """A disk image is not usable: corrupt, of another format, leaning on other files, or with another digest."""


class NetworkError(SalError, OSError):
    """A bridge, namespace or gateway could not be made as asked."""


class LinkMissingError(NetworkError, LookupError):
    """There is no network link of this name on the node or in the namespace."""


class DiskError(SalError, OSError):
    """A disk, partition, file system or mount is not as an operation needs it; nothing was overwritten."""


class ProcessError(SalError, OSError):
    """A process does not end."""


class SystemdMissingError(SalError, OSError):
    """This machine was not started by systemd, so that no service can be asked about or changed."""


class AccountMissingError(SalError, LookupError):
    """There is no user or group of this name."""


class CertificateError(SalError, ValueError):
    """A key, request or certificate cannot be read, or does not belong to the other."""
