"""Whether KVM really runs guests here: proved, never believed.

Some hosts offer ``/dev/kvm`` and accept guests, and then emulate every instruction, so that nothing ever boots. So a
boot sector of our own must count to 2^24 in long mode under KVM within a second; software emulation takes about 0.1 s.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from sal.host import boot_id, tools
from sal.hypervisor.kvm_device import repair_kvm_device

LIMIT: Final = 1.0
#: isa-debug-exit ends QEMU with (value << 1) | 1, and the sector writes 0x10.
_EXIT_STATUS: Final = 33
_EMULATOR: Final = "qemu-system-x86_64"
_CODE: Final = bytes.fromhex(
    "fafc31c08ed88ec0"  # cli; cld; ds = es = 0
    "66bf001000000f22df"  # page tables at 0x1000; cr3 = 0x1000
    "6631c0b9000c66f3ab"  # clear three pages
    "c70600100320c70600200330c606003083"  # one 2 MiB page, mapped to itself
    "0f20e00c200f22e0"  # cr4.PAE
    "66b9800000c00f3280cc010f30"  # EFER.LME
    "0f0116767c"  # lgdt
    "0f20c0660d010000800f22c0"  # cr0.PG and PE: long mode
    "ea567c0800"  # jump to the 64-bit segment
    "b900000001ffc975fc"  # ecx = 2^24; count down
    "b010e6f4f4ebfd"  # out 0xf4, 0x10; halt
    "000000000000000000000000009a2000"  # GDT: null, 64-bit code
    "0f00667c0000",  # GDT register: its length, its place
)


@dataclass(frozen=True)
class AcceleratorProof:
    """What the proof found. ``seconds`` under KVM is None when it did not end; ``software_seconds`` compares."""

    proven: bool
    reason: str
    seconds: float | None = None
    software_seconds: float | None = None

    @property
    def domain_type(self) -> str:
        """The libvirt domain type that machines get."""
        return "kvm" if self.proven else "qemu"


def boot_sector() -> bytes:
    """Return the 512 bytes that a PC starts."""
    return _CODE.ljust(510, b"\0") + b"\x55\xaa"


def prove_kvm(limit: float = LIMIT) -> AcceleratorProof:
    """Run the proof; ``limit`` in seconds. Takes up to ``limit`` plus what software emulation needs.

    Before it, ``/dev/kvm`` gets the access rights that QEMU's user needs (`sal.hypervisor.kvm_device`).
    """
    repair_kvm_device()
    emulator = tools().get(_EMULATOR)
    if not emulator:
        return AcceleratorProof(
            proven=False, reason=f"{_EMULATOR} is not installed; run: apt-get install qemu-system-x86"
        )
    software, _ = _run(emulator, "tcg", limit * 10)
    if not Path("/dev/kvm").exists():
        return AcceleratorProof(proven=False, reason="there is no /dev/kvm", software_seconds=software)
    seconds, reason = _run(emulator, "kvm", limit)
    return AcceleratorProof(seconds is not None, reason, seconds, software)


def remembered_proof(file: Path) -> AcceleratorProof:
    """Return the proof of this boot out of ``file``, or run it and keep it there."""
    repair_kvm_device()
    if file.exists():
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept.pop("boot_id", None) == boot_id():
            return AcceleratorProof(**kept)
    proof = prove_kvm()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**asdict(proof), "boot_id": boot_id()}), encoding="utf-8")
    return proof


def _run(emulator: str, accelerator: str, limit: float) -> tuple[float | None, str]:
    """Return the seconds that the sector took, or None, and the reason in words."""
    with tempfile.NamedTemporaryFile(prefix="accelerator-") as sector:
        sector.write(boot_sector())
        sector.flush()
        machine = ["-accel", accelerator, "-m", "16", "-display", "none", "-nodefaults", "-no-user-config"]
        exit_port = ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
        drive = ["-drive", f"file={sector.name},format=raw,if=ide,readonly=off,snapshot=on"]
        start = time.monotonic()
        try:
            done = subprocess.run(
                [emulator, *machine, *exit_port, *drive], capture_output=True, timeout=limit, check=False
            )
        except subprocess.TimeoutExpired:
            return None, f"a loop of 2^24 turns did not end within {limit:g} s under {accelerator}"
        seconds = round(time.monotonic() - start, 3)
    if done.returncode != _EXIT_STATUS:
        complaint = done.stderr.decode(errors="replace").strip() or f"exit status {done.returncode}"
        return None, f"QEMU did not run under {accelerator}: {complaint}"
    return seconds, f"a loop of 2^24 turns took {seconds:g} s under {accelerator}"
