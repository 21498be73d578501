"""How pages are written: spaces as git repositories that several processes share through MongoDB.

The objects of all repositories, and one head for each space, lie in MongoDB. What lies in ``<state>/spaces`` is this
process's clone of them: it can be made anew at any time. A change is prepared in the clone, its objects are stored,
and the head is moved by compare-and-set; only then is it seen.
"""

from portalfw.history.history import History
from portalfw.history.pages import Pages

__all__ = ["History", "Pages"]
