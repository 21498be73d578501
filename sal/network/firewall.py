"""Tables of nftables: which are in force, and replacing one as a whole in one transaction.

An empty chain named after the digest of the rules' text tells later which rules are in force, so that the same rules
are not loaded again: their counters and the connections that they know go on.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final, Literal

from sal.command import Command, apply
from sal.names import checked
from sal.network.links import inside

Family = Literal["ip", "ip6", "inet", "arp", "bridge", "netdev"]
_REVISION: Final = "revision_"


@dataclass(frozen=True)
class Table:
    """A table in force, and its chains but for the one that marks its ``revision``.

    The revision is None if this package did not load it.
    """

    family: str
    name: str
    chains: list[str]
    revision: str | None


def read_tables(namespace: str | None = None) -> list[Table]:
    """Return the tables of the node or of a namespace."""
    return parse_tables(inside(namespace, "nft", "-j", "-t", "list", "ruleset").run())


def parse_tables(text: str) -> list[Table]:
    """Read what ``nft -j -t list ruleset`` prints."""
    found: list[dict[str, Any]] = json.loads(text or "{}").get("nftables", [])
    chains: dict[tuple[str, str], list[str]] = {
        (one["family"], one["name"]): [] for entry in found if (one := entry.get("table"))
    }
    for entry in found:
        if one := entry.get("chain"):
            chains[one["family"], one["table"]].append(one["name"])
    return [
        Table(family, name, [one for one in names if not one.startswith(_REVISION)], _revision(names))
        for (family, name), names in chains.items()
    ]


def ensure_table(name: str, chains: str, namespace: str | None = None, family: Family = "ip") -> list[str]:
    """Put a table with exactly these chains in force; return what was changed.

    Params: ``chains`` the text between the table's braces, as nft(8) takes it. Raises `sal.errors.CommandError` with
    nft's complaint if it does not understand it; the rules that were in force stay then.
    """
    if loaded(checked(name, "table"), namespace, family) == revision(chains):
        return []
    return apply([load(name, chains, namespace, family)])


def remove_table(name: str, namespace: str | None = None, family: Family = "ip") -> list[str]:
    """Remove a table; return what was changed."""
    there = any((one.family, one.name) == (family, name) for one in read_tables(namespace))
    return apply([unload(name, namespace, family)]) if there else []


def revision(chains: str) -> str:
    """Return the name of the chain that marks these rules as loaded."""
    return _REVISION + hashlib.sha256(chains.encode()).hexdigest()[:16]


def load(table: str, chains: str, namespace: str | None = None, family: Family = "ip") -> Command:
    """Return the command that replaces a table by these chains."""
    emptied = f"table {family} {table}\ndelete table {family} {table}\n"
    text = f"{emptied}table {family} {table} {{\n  chain {revision(chains)} {{\n  }}\n{chains}\n}}\n"
    return inside(namespace, "nft", "-f", "-", text=text)


def unload(table: str, namespace: str | None = None, family: Family = "ip") -> Command:
    """Return the command that removes a table, whether it is there or not."""
    return inside(namespace, "nft", "-f", "-", text=f"table {family} {table}\ndelete table {family} {table}\n")


def loaded(table: str, namespace: str | None = None, family: Family = "ip") -> str | None:
    """Return the revision of a table's rules in force, None if there are none."""
    listed: dict[str, Any] = json.loads(inside(namespace, "nft", "-j", "list", "chains").run() or "{}")
    chains = [entry["chain"] for entry in listed.get("nftables", []) if "chain" in entry]
    return _revision([chain["name"] for chain in chains if (chain["family"], chain["table"]) == (family, table)])


def _revision(names: list[str]) -> str | None:
    return next((name for name in names if name.startswith(_REVISION)), None)
