"""``python -m agent``: an agent from the command line."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from agent.errors import SettingsError
from agent.main import die_with_parent, run
from agent.settings import HYPERVISORS, AgentSettings
from agent.trust import check_pin


def main() -> int:
    """Read the command line and run."""
    options = parser().parse_args()
    logging.basicConfig(level=options.log.upper(), format="%(asctime)s agent %(levelname)s %(message)s")
    if options.die_with_parent:
        parent = os.getppid()
        die_with_parent()
        if os.getppid() != parent:
            return 1
    try:
        settings = AgentSettings(
            controllers=tuple(options.controller),
            state=options.state,
            hypervisor=options.hypervisor,
            join_token=options.join_token or os.environ.get("PORTALFW_JOIN_TOKEN"),
            join_token_file=options.join_token_file,
            ca_pin=check_pin(options.ca_pin) if options.ca_pin else None,
            roles=tuple(options.role),
            grace=options.grace,
            alone_after=options.alone_after,
        )
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - this is the command line
        return 1
    return run(settings)


def parser() -> argparse.ArgumentParser:
    """Return the command line's description."""
    found = argparse.ArgumentParser(prog="python -m agent", description="The agent of one node.")
    found.add_argument(
        "--controller",
        required=True,
        action="append",
        help="address of the Agent Controller; repeated for others that serve the same installation",
    )
    found.add_argument("--state", type=Path, required=True, help="folder for what the agent keeps")
    found.add_argument("--hypervisor", choices=HYPERVISORS, default="auto")
    found.add_argument("--join-token", help="one-time token; better in PORTALFW_JOIN_TOKEN, which ps does not show")
    found.add_argument("--join-token-file", type=Path, help="file that holds it; removed once the node has entered")
    found.add_argument("--ca-pin", help="pin of the private authority to trust, if the token does not carry it")
    found.add_argument("--role", action="append", default=[], help="ask for this role only; may be repeated")
    found.add_argument("--grace", type=float, default=5.0, help="seconds that running jobs get at the end")
    found.add_argument(
        "--alone-after", type=float, default=30.0, help="seconds until offline scripts run by themselves"
    )
    found.add_argument("--die-with-parent", action="store_true", help="stop when the starting process is gone")
    found.add_argument("--log", choices=["debug", "info", "warning", "error"], default="info")
    return found


if __name__ == "__main__":
    sys.exit(main())
