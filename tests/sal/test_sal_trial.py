"""The test machine of a node: seen to boot and write, and removed, also by the next run where one was killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sal_making import machine

from sal.findings.deployment import judge_trial
from sal.hypervisor import MachineSpec, Site
from sal.hypervisor.domain_xml import console_log
from sal.hypervisor.trial import trial_name, try_machine

TRY = """
import sys
from pathlib import Path
from sal.hypervisor import Site
from sal.hypervisor.trial import try_machine
folder = Path(sys.argv[2])
try_machine(Site("qemu:///system", sys.argv[1], folder), folder / "lock", lambda said: print(said, flush=True))
"""


def test_a_simulated_machine(simulated: Site, tmp_path: Path) -> None:
    """It is made and removed with what an earlier run has left; machines of people stay."""
    prefix, said = simulated.storage.site, list[str]()
    name = trial_name(prefix)
    other = MachineSpec.from_json(machine(prefix))
    left = MachineSpec.from_json(machine(prefix, name=name, disks=[{"volume": f"{name}-boot", "size": 1}]))
    for spec in (other, left):
        simulated.machines.create(spec)
    found = judge_trial(try_machine(simulated, tmp_path / "lock", said.append))
    assert [(one.uid, one.state) for one in found] == [("machine", "OK"), ("disk", "SKIPPED")]
    assert said == ["a test machine that was left behind is removed", f"test machine {name} is running (booted)"]
    assert [state.name for state in simulated.machines.states()] == [other.name]
    assert [volume.name for volume in simulated.storage.volumes()] == [f"{prefix}-d1", f"{prefix}-m1-seed"]


@pytest.mark.qemu
def test_a_real_machine(real: Site, guest_image: Path, tmp_path: Path) -> None:
    """None is made without an image; a killed run's is removed by the next one, whose machine boots and writes."""
    prefix = real.storage.site
    assert "no image" in try_machine(real, tmp_path / "lock", print).obstacle
    real.storage.import_image(f"{prefix}-i3", guest_image)
    with subprocess.Popen(
        [sys.executable, "-c", TRY, prefix, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout
        assert "is running" in killed.stdout.readline()
        killed.kill()
    assert real.machines.state(trial_name(prefix)).running
    said: list[str] = []
    trial = try_machine(real, tmp_path / "lock", said.append)
    assert said[0] == "a test machine that was left behind is removed"
    assert (trial.obstacle, trial.problem, trial.image) == ("", "", f"{prefix}-i3")
    assert trial.seen is not None
    assert trial.seen > 0
    assert trial.speed is not None
    assert trial.speed > 0
    assert judge_trial(trial)[0].state == "OK"
    assert real.machines.states() == []
    assert [volume.name for volume in real.storage.volumes()] == [f"{prefix}-i3"]
    assert not Path(console_log(trial_name(prefix))).exists()
