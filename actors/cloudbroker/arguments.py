"""Types of arguments that several methods for operators take, and the right that those need."""

from __future__ import annotations

from typing import Annotated

from portalfw.rest import Arg

OPERATORS = "group:level1,level2,level3"

AccountId = Annotated[int, Arg("Account", choices="cloudbroker/account/list")]
OwnerId = Annotated[int, Arg("Account", help="Everybody's if empty.", choices="cloudbroker/account/list")]
CloudspaceId = Annotated[int, Arg("Cloudspace", choices="cloudbroker/cloudspace/list")]
MachineId = Annotated[int, Arg("Machine", choices="cloudbroker/machine/list")]
ImageId = Annotated[int, Arg("Image", choices="cloudbroker/image/list")]
Reason = Annotated[str, Arg("Reason", help="Kept in the audit record.")]
