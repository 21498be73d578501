"""``portalfw node``: the nodes of a running portal, and join tokens for new ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from portalfw.cli.flags import given, settings_options
from portalfw.cli.remote import Remote
from portalfw.cli.remote_group import remote_group
from portalfw.cli.shown import Cells, json_option, moment, print_fields, print_json, print_rows
from portalfw.settings import load_settings

ACTOR: Final = "system/gridmanager"
COLUMNS: Final[Cells] = {
    "Node": "id",
    "Name": "name",
    "State": "state",
    "Grid": "gid",
    "Roles": "roles",
    "Address": "address",
    "Hypervisor": "hypervisor",
    "Seen (UTC)": lambda row: moment(row["last_seen"]),
    "Reason": "reason",
}


@remote_group
def node() -> None:
    """Show the nodes of a running portal, put them to work and out of it, and let new ones in."""


@node.command("list")
@json_option
@click.pass_obj
def list_nodes(remote: Remote, *, as_json: bool) -> None:
    """List all nodes."""
    rows = remote.call(f"{ACTOR}/getNodes", {"limit": 0})
    print_rows(rows, COLUMNS, as_json=as_json)


@node.command()
@click.argument("node_id", type=int)
@json_option
@click.pass_obj
def show(remote: Remote, node_id: int, *, as_json: bool) -> None:
    """Show one node with what its agent told of it."""
    found = remote.call(f"{ACTOR}/getNode", {"nodeId": node_id})
    if as_json:
        print_json(found)
        return
    kept = {
        "Node": found["id"],
        "Name": found["name"],
        "State": found["state"],
        "Status": found["status"],
        "Reason": found["reason"],
        "Grid": found["gid"],
        "Roles": ", ".join(found["roles"]),
        "Address": found["address"],
        "Agent": found["version"],
        "Entered": moment(found["created"]),
        "Seen": moment(found["last_seen"]),
        "Credential of": moment(found["credential_since"]),
        "Facts": found["facts"],
        "Abilities": found["abilities"],
    }
    print_fields(kept)


def _step(name: str, method: str, text: str, done: str, *, force: bool = False) -> None:
    """Add a command that brings a node to another state."""

    def step(remote: Remote, node_id: int, reason: str, **more: Any) -> None:
        remote.call(f"{ACTOR}/{method}", {"nodeId": node_id, "reason": reason, **more})
        click.echo(f"Node {node_id} {done}.")

    options: list[Callable[[Any], Any]] = [click.pass_obj]
    if force:
        options.append(click.option("--force", is_flag=True, help="Even if machines are on it."))
        options.append(click.confirmation_option(prompt="Its credential is worth nothing from then on. Go on?"))
    reason = click.option("--reason", default="from the command line", show_default=True, help="Kept with the node.")
    options += [reason, click.argument("node_id", type=int)]
    for option in options:
        step = option(step)
    node.command(name, help=text)(step)


_step("accept", "acceptNode", "Let a node that waits stay; it works once it is enabled.", "is accepted")
_step("enable", "enableNode", "Put a node to work.", "is enabled")
_step("disable", "disableNode", "Give a node no more jobs until it is enabled again.", "is disabled")
_step("maintenance", "maintainNode", "Put a node into maintenance: no new machines there.", "is in maintenance")
_step("decommission", "decommissionNode", "Take a node out for good.", "is decommissioned", force=True)


@node.command()
@click.option("--role", multiple=True, help="What the node may be used for; repeatable, everything if not given.")
@click.option("--gid", type=int, default=1, show_default=True, help="The grid that it joins.")
@click.option("--life", type=float, default=3600.0, show_default=True, help="Seconds until the token expires.")
@click.option("--pending", is_flag=True, help="The node waits until somebody enables it.")
@settings_options
@click.pass_obj
def token(remote: Remote, /, role: tuple[str, ...], gid: int, life: float, *, pending: bool, **flags: Any) -> None:
    """Create a one-time token with which the agent of a new node may enter, and print it.

    With an API token it is asked of the running portal, else made in the database that the settings name. How to use
    it is said on stderr. The pin of a private authority (portalfw pki) stands behind its dot.
    """
    here = any(flags[name] for name in ("state", "mongodb_uri"))
    if remote.token and not here:
        asked = {"roles": list(role), "gid": gid, "life": life, "accept": not pending}
        _tell(remote.call(f"{ACTOR}/createJoinToken", asked), remote.url)
        return
    from portalfw.cli.database import opened
    from portalfw.controller.controller import LOCAL_ROLES
    from portalfw.controller.nodes import Nodes
    from portalfw.pki import Authority

    settings = load_settings(**given(flags))
    with opened(settings):
        roles = role or LOCAL_ROLES
        made = Nodes().create_token(roles=roles, gid=gid, life=life, accept=not pending, created_by="command line")
        _tell(Authority(settings).with_pin(made), str(settings.public_url or "https://…"))


def _tell(token: str, portal: str) -> None:
    """Print a join token, and on stderr what to do with it."""
    click.echo(token)
    click.echo(f"On the new node: portalfw agent install --controller {portal} --join-token {token}", err=True)
