"""What of a cloud can be found: operators find everything, a tenant what the lists of its accounts give it to read.

The words by which an object is found are no more than what ``cloudapi`` shows of it to everybody who may read it.
"""

from __future__ import annotations

from typing import Any

from actors.cloud.access import held_by
from actors.cloud.models import Account, Cloudspace, ExternalNetwork, Image, Machine
from portalfw.auth.principal import Principal
from portalfw.controller.documents import Node
from portalfw.extension import searchable
from portalfw.search import Viewer

OPERATOR_APP, TENANT_APP = "cloudbroker", "cloudapi"
LIVE = {"live": True}


def sees_all(principal: Principal) -> bool:
    """Tell whether a viewer is an operator, and its credential that of one."""
    apps = principal.apps
    if principal.is_admin:
        return apps is None or not apps.isdisjoint({OPERATOR_APP, TENANT_APP})
    return principal.is_operator and (apps is None or OPERATOR_APP in apps)


def is_tenant(principal: Principal) -> bool:
    """Tell whether a viewer may use what tenants use."""
    return principal.apps is None or TENANT_APP in principal.apps


def accounts_of(principal: Principal) -> list[int]:
    """Return the accounts that a tenant may read."""
    return [row["id"] for row in Account.rows({**LIVE, "acl": held_by(principal)}, fields=["_id"])]


@searchable(
    "machine",
    Machine,
    plural="Machines",
    aliases=("vm", "virtual machine"),
    apps=(OPERATOR_APP, TENANT_APP),
    pages=("/cbgrid/Virtual Machine?id={id}",),
    names=("hostname", "nics.ip_address", "nics.mac_address", "reference_id"),
    texts=("description",),
    state="status",
    icon="pc-display",
    where=LIVE,
    create=("cloudbroker/machine/create", "/cbgrid/Virtual Machines"),
    order=10,
)
def machines(viewer: Viewer) -> dict[str, Any] | None:
    """Find machines by their own list, that of their cloudspace or of their account."""
    if sees_all(viewer.principal):
        return {}
    if not is_tenant(viewer.principal):
        return None
    accounts, mine = viewer.once(accounts_of), held_by(viewer.principal)
    spaces = Cloudspace.collection().distinct("_id", {**LIVE, "acl": mine})
    return {"$or": [{"acl": mine}, {"cloudspace_id": {"$in": spaces}}, {"account_id": {"$in": accounts}}]}


@searchable(
    "cloudspace",
    Cloudspace,
    plural="Cloud spaces",
    aliases=("cloud space",),
    apps=(OPERATOR_APP, TENANT_APP),
    pages=("/cbgrid/Cloud Space?id={id}",),
    names=("external_ip", "private_network"),
    texts=("description",),
    state="status",
    icon="boxes",
    where=LIVE,
    create=("cloudbroker/cloudspace/create", "/cbgrid/Cloud Spaces"),
    order=20,
)
def cloudspaces(viewer: Viewer) -> dict[str, Any] | None:
    """Find cloudspaces by their own list or that of their account."""
    if sees_all(viewer.principal):
        return {}
    if not is_tenant(viewer.principal):
        return None
    return {"$or": [{"acl": held_by(viewer.principal)}, {"account_id": {"$in": viewer.once(accounts_of)}}]}


@searchable(
    "account",
    Account,
    plural="Accounts",
    apps=(OPERATOR_APP, TENANT_APP),
    pages=("/cbgrid/Account?id={id}",),
    state="status",
    icon="buildings",
    where=LIVE,
    create=("cloudbroker/account/create", "/cbgrid/Accounts"),
    order=30,
)
def accounts(viewer: Viewer) -> dict[str, Any] | None:
    """Find accounts by their list."""
    if sees_all(viewer.principal):
        return {}
    return {"acl": held_by(viewer.principal)} if is_tenant(viewer.principal) else None


@searchable(
    "node",
    Node,
    plural="Nodes",
    aliases=("physical node",),
    apps=(OPERATOR_APP, "system"),
    pages=("/cbgrid/Physical Node?id={id}", "/grid/Node?id={id}"),
    names=("address",),
    texts=("roles", "facts.hostname", "facts.os"),
    state="status",
    icon="hdd-rack",
    order=40,
)
def nodes(viewer: Viewer) -> dict[str, Any] | None:
    """Find nodes as an operator."""
    return {} if viewer.principal.is_operator else None


@searchable(
    "image",
    Image,
    plural="Images",
    apps=(OPERATOR_APP, TENANT_APP),
    pages=("/cbgrid/Image?id={id}",),
    texts=("description", "type"),
    state="status",
    icon="disc",
    where=LIVE,
    create=("cloudbroker/image/createImage", "/cbgrid/Images"),
    order=50,
)
def images(viewer: Viewer) -> dict[str, Any] | None:
    """Find everybody's images and those of one's accounts."""
    return _shared(viewer)


@searchable(
    "external network",
    ExternalNetwork,
    plural="External networks",
    aliases=("network",),
    apps=(OPERATOR_APP, TENANT_APP),
    pages=("/cbgrid/External Network?id={id}",),
    names=("network", "gateway"),
    icon="diagram-3",
    order=60,
)
def external_networks(viewer: Viewer) -> dict[str, Any] | None:
    """Find everybody's external networks and those of one's accounts."""
    return _shared(viewer)


def _shared(viewer: Viewer) -> dict[str, Any] | None:
    if sees_all(viewer.principal):
        return {}
    return {"account_id": {"$in": [0, *viewer.once(accounts_of)]}} if is_tenant(viewer.principal) else None
