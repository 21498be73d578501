"""Entry of the ``portalfw`` command: makes the process cooperative before anything else is imported."""

from gevent import monkey

monkey.patch_all()

from portalfw.cli import main  # noqa: E402 - the patch comes first

__all__ = ["main"]

if __name__ == "__main__":
    main()
