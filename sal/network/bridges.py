"""Bridges that machines are plugged into."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sal.command import run
from sal.names import link
from sal.network.links import bridge_commands, read_links


def ensure_bridge(name: str) -> bool:
    """Make a bridge and bring it up; return whether anything had to change."""
    plan = bridge_commands(link(name), read_links().get(name))
    for command in plan:
        command.run()
    return bool(plan)


def remove_bridge_if_unused(name: str) -> bool:
    """Remove a bridge that nothing is plugged into; return whether it was removed."""
    links = read_links()
    if name not in links or any(one.master == name for one in links.values()):
        return False
    run(["ip", "link", "del", "dev", name])
    return True


@contextmanager
def bridges(names: Iterable[str]) -> Iterator[None]:
    """Have these bridges within the block and after it; if it fails, those that nothing uses are removed."""
    wanted = sorted(set(names))
    try:
        for name in wanted:
            ensure_bridge(name)
        yield
    except BaseException:
        for name in wanted:
            remove_bridge_if_unused(name)
        raise
