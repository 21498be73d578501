"""Facts, commands and the accelerator, on this very machine."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from sal.command import run
from sal.errors import CommandError, CommandTimeoutError, MissingToolError
from sal.host import facts
from sal.hypervisor.accelerator import boot_sector, prove_kvm, remembered_proof


def test_facts() -> None:
    """The node's facts are those of this machine, and travel as JSON."""
    found = facts()
    assert found.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert found.root == (os.geteuid() == 0)
    assert found.memory_mib > found.memory_free_mib > 0
    assert "127.0.0.1/8" in next(link for link in found.interfaces if link.name == "lo").addresses
    assert any(disk.mount == "/" and disk.size_mib > disk.free_mib for disk in found.disks)
    assert json.loads(json.dumps(asdict(found)))["kernel"] == os.uname().release


def test_command() -> None:
    """A command gives back what it printed, and is never a shell."""
    assert run(["cat"], "a; $b") == "a; $b"
    assert run(["echo", "$HOME; x"]) == "$HOME; x\n"


def test_command_fails() -> None:
    """A command that fails is named with its complaint, one that hangs with its limit, a missing one with a package."""
    with pytest.raises(CommandError, match=r"ls /nowhere.*No such file") as caught:
        run(["ls", "/nowhere"])
    assert isinstance(caught.value, OSError)
    with pytest.raises(CommandTimeoutError, match=r"0\.05 s") as late:
        run(["sleep", "9"], None, 0.05)
    assert isinstance(late.value, TimeoutError)
    with pytest.raises(MissingToolError, match="apt-get install portalfw-nothing"):
        run(["portalfw-nothing"])


def test_boot_sector() -> None:
    """The proof's boot sector is one that a PC starts."""
    sector = boot_sector()
    assert (len(sector), sector[-2:]) == (512, b"\x55\xaa")


def test_accelerator(tmp_path: Path) -> None:
    """The proof runs under software emulation, says why KVM is or is not taken, and is remembered for this boot."""
    if not shutil.which("qemu-system-x86_64"):
        assert "apt-get install qemu-system-x86" in prove_kvm().reason
        pytest.skip("NO QEMU: apt-get install qemu-system-x86")
    proof = remembered_proof(tmp_path / "proof.json")
    assert proof.software_seconds is not None
    assert proof.proven == (proof.seconds is not None)
    assert proof.reason
    assert proof.domain_type == ("kvm" if proof.proven else "qemu")
    kept = (tmp_path / "proof.json").stat().st_mtime_ns
    assert remembered_proof(tmp_path / "proof.json") == proof
    assert (tmp_path / "proof.json").stat().st_mtime_ns == kept


def test_accelerator_of_another_boot(tmp_path: Path) -> None:
    """A proof of another boot is not believed."""
    file = tmp_path / "proof.json"
    file.write_text(json.dumps({"proven": True, "reason": "old", "boot_id": "another"}))
    assert remembered_proof(file).reason != "old"
