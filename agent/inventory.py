"""What this node is and can do; run as a short process, so that the agent itself stays small.

``python -m agent.inventory facts auto FILE`` prints facts and abilities, quickly; with ``proof`` it proves the hardware
accelerator too, which may take seconds and is kept in FILE until the next boot.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from agent import own_python
from agent.errors import AgentError

if TYPE_CHECKING:
    from sal.host import HostFacts
    from sal.hypervisor import AcceleratorProof

What = Literal["facts", "proof"]

LIMITS: Final = {"facts": 15.0, "proof": 60.0}
"""Seconds that each may take."""

URIS: Final = {"qemu": "qemu:///system", "test": "test:///default", "none": ""}
NETWORK_TOOLS: Final = frozenset({"dnsmasq", "ip", "nft"})


def ask(what: What, hypervisor: str, proof_file: Path) -> dict[str, Any]:
    """Run the inventory in a process of its own and return ``{"facts": ..., "abilities": ...}``.

    Raises:
        AgentError: it failed or took too long.

    """
    command = own_python.command("agent.inventory", what, hypervisor, str(proof_file))
    environment = own_python.environment()
    try:
        done = subprocess.run(command, capture_output=True, timeout=LIMITS[what], check=False, env=environment)
    except subprocess.TimeoutExpired as error:
        raise AgentError(f"the inventory ({what}) took longer than {LIMITS[what]:g} s") from error
    if done.returncode:
        raise AgentError(f"the inventory ({what}) failed: {done.stderr.decode(errors='replace')[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def take(what: str, hypervisor: str, proof_file: Path) -> dict[str, Any]:
    """Look at this node."""
    from sal.host import facts

    found = facts()
    kind, reason = hypervisor_kind(hypervisor)
    proof = proved(proof_file) if what == "proof" and kind == "qemu" else None
    return {
        "facts": asdict(found),
        "abilities": {
            "hypervisor": {
                "uri": URIS[kind],
                "kind": kind,
                "reason": reason,
                "accelerator": accelerator(proof, pending=what == "facts" and kind == "qemu"),
            },
            "network": "real" if kind == "qemu" and can_network(found) else "simulated",
        },
    }


def hypervisor_kind(setting: str) -> tuple[str, str]:
    """Return ``qemu``, ``test`` or ``none``, and why; ``auto`` takes what answers."""
    from sal.errors import HypervisorError, HypervisorMissingError
    from sal.hypervisor.connection import Hypervisor

    for kind in ("qemu", "test") if setting == "auto" else (setting,):
        try:
            Hypervisor(URIS[kind]).connection.getVersion()
        except HypervisorMissingError as error:
            return "none", str(error)
        except HypervisorError as error:
            reason = str(error)
        else:
            return kind, "" if kind in {setting, "qemu"} else reason
    return "none", reason


def proved(file: Path) -> AcceleratorProof:
    """Return the proof of this boot, run if it has not been yet."""
    from sal.hypervisor.accelerator import remembered_proof

    return remembered_proof(file)


def accelerator(proof: AcceleratorProof | None, *, pending: bool) -> dict[str, Any]:
    """Return what is known of the hardware accelerator, as data."""
    if proof is None:
        return {"proven": False, "reason": "being proved" if pending else "simulated hypervisor", "pending": pending}
    return {**asdict(proof), "pending": False}


def can_network(found: HostFacts) -> bool:
    """Tell whether bridges, namespaces and gateways can really be made here."""
    return found.root and found.tools.keys() >= NETWORK_TOOLS


if __name__ == "__main__":
    json.dump(take(sys.argv[1], sys.argv[2], Path(sys.argv[3])), sys.stdout)
