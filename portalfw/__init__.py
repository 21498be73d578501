"""A framework of wiki portals whose macros call the REST methods of actors."""

__version__ = "0.1.0"
