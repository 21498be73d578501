"""The JumpScripts, run as an agent's worker runs them: loaded from their file, with plain JSON in and out."""

from __future__ import annotations

import importlib.util
import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.jumpscript import Surroundings, bound
from portalfw.controller.header import read_header
from sal.errors import ImageError, SpecError, VolumeMissingError

SCRIPTS = Path(__file__).parents[2] / "jumpscripts"
MAC = "52:54:00:5a:18:01"
Run = Callable[..., Any]


@pytest.fixture
def prefix() -> str:
    return f"j{secrets.token_hex(2)}"


@pytest.fixture
def run(prefix: str, tmp_path: Path) -> Iterator[Run]:
    """Give a way to run a script on the simulated hypervisor; whatever it returns must be JSON."""
    pytest.importorskip("libvirt", reason="NO LIBVIRT: pip install libvirt-python")
    folders = {name: tmp_path / name for name in ("work", "run", "files")}
    for folder in folders.values():
        folder.mkdir()
    around = Surroundings(node_id=1, site=prefix, hypervisor="test:///default", **folders)
    with bound(around, lambda _event: None):
        yield lambda script, **arguments: json.loads(json.dumps(action(script)(**arguments)))


def action(script: str) -> Callable[..., Any]:
    spec = importlib.util.spec_from_file_location(script.replace("/", "_"), SCRIPTS / f"{script}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[..., Any] = module.action
    return found


def machine(prefix: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": f"{prefix}-m1",
        "uuid": f"6f1c6a0e-6a0f-4ad0-8f11-0d1c{secrets.token_hex(4)}",
        "memory": 128,
        "vcpus": 1,
        "hostname": "web-1",
        "disks": [{"volume": f"{prefix}-d1", "size": 1, "image": f"{prefix}-i3", "boot": True}],
        "nics": [{"bridge": f"{prefix}-b4", "mac": MAC, "ip": "192.168.103.254"}],
        "seed": {"hostname": "web-1", "user": "admin", "password": "secret", "userdata": None},
        **changes,
    }


def gateway(prefix: str) -> dict[str, Any]:
    external = {"bridge": f"{prefix}-x1", "address": "172.29.8.20/24", "gateway": "172.29.8.1", "host_gateway": True}
    return {
        "name": f"{prefix}-g4",
        "bridge": f"{prefix}-b4",
        "network": "192.168.103.0/24",
        "address": "192.168.103.1",
        "external": external,
        "leases": [{"mac": MAC, "ip": "192.168.103.254", "hostname": "web-1"}],
        "forwards": [],
    }


@pytest.fixture
def image(prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Give an image that the agent has at hand: how files are fetched is the agent's own matter, and tested there."""
    import subprocess
    import sys

    file = tmp_path / "blank.qcow2"
    tool = SCRIPTS.parent / "tools" / "guest-image"
    subprocess.run([sys.executable, str(tool), "--blank", str(file)], check=True, capture_output=True)
    monkeypatch.setattr("agent.jumpscript.Context.fetch_file", lambda _self, url, _sha256=None: tmp_path / url)
    return {"volume": f"{prefix}-i3", "url": file.name, "sha256": None}


def test_headers() -> None:
    """Every script can be read by the controller, is named as its file, and says what it does and needs.

    All may be run again, but for what is carried to somebody who has gone.
    """
    queues = {"node": "default", "libvirt/openconsole": "console", "healthcheck": "process"}
    queues |= {f"healthcheck/{name}": "hypervisor" for name in ("guest_packets", "orphans")}
    queues |= {f"network/{name}": "default" for name in ("measurelatency", "measurethroughput", "servethroughput")}
    files = sorted(SCRIPTS.glob("*/*.py"))
    assert len(files) >= 14
    for file in files:
        header = read_header(file.read_text(encoding="utf-8"))
        check = file.parent.name == "healthcheck"
        assert (header.category, header.name) == ("monitor.healthcheck" if check else file.parent.name, file.stem)
        script = f"{file.parent.name}/{header.name}"
        assert header.idempotent == (script != "libvirt/openconsole")
        assert header.queue == queues.get(script, queues.get(file.parent.name, "hypervisor"))


def test_life_of_a_machine(run: Run, prefix: str, image: dict[str, Any]) -> None:
    """From the image to nothing left, each step done twice."""
    spec = machine(prefix)
    facts = [run("libvirt/fetchimage", image=image) for _ in range(2)]
    assert facts[0] == facts[1]
    assert facts[0]["virtual_size"] == 64 << 20
    for _ in range(2):
        assert run("libvirt/createmachine", machine=spec)["state"] == "running"
    assert run("libvirt/listmachines") == [run("libvirt/machinestate", name=spec["name"])]
    for _ in range(2):
        assert run("libvirt/stopmachine", name=spec["name"], grace=5)["reason"] == "shutdown"
    for _ in range(2):
        assert run("libvirt/startmachine", machine=spec)["state"] == "running"
    assert run("libvirt/stopmachine", name=spec["name"], force=True)["reason"] == "destroyed"
    assert run("libvirt/deletemachine", machine=spec) == {
        "name": spec["name"],
        "deleted": True,
        "volumes": [f"{prefix}-d1"],
    }
    assert not run("libvirt/deletemachine", machine=spec)["deleted"]
    assert [run("libvirt/deleteimage", volume=image["volume"])["deleted"] for _ in range(2)] == [True, False]
    assert not run("libvirt/deletevolume", volume=f"{prefix}-d1")["deleted"]
    assert run("libvirt/machinestate", name=spec["name"])["state"] == "missing"
    assert run("libvirt/listmachines") == []


def test_bad_input(run: Run, prefix: str, image: dict[str, Any]) -> None:
    """What makes no sense is named: a wrong field, an image that is not on the node, an image with another digest."""
    with pytest.raises(SpecError, match=f"machine {prefix}-m1: memory"):
        run("libvirt/createmachine", machine=machine(prefix, memory="much"))
    with pytest.raises(VolumeMissingError, match=f"volume {prefix}-i3"):
        run("libvirt/createmachine", machine=machine(prefix))
    with pytest.raises(ImageError, match=f"image {prefix}-i3: sha256"):
        run("libvirt/fetchimage", image={**image, "sha256": "0" * 64})
    assert run("libvirt/listmachines") == []


def test_gateway(run: Run, prefix: str) -> None:
    """A gateway beside simulated machines is simulated, and says so."""
    spec = gateway(prefix)
    results = [run(f"network/{name}", gateway=spec) for name in ("deploygateway", "applyforwards")]
    results += [run("network/removegateway", gateway=spec) for _ in range(2)]
    assert [result["changed"] for result in results] == [True, False, True, False]
    assert all(result["simulated"] for result in results)


def test_node(run: Run) -> None:
    """A node tells what it is and what it can do."""
    assert run("node/hostfacts")["cpus"] > 0
    assert run("node/abilities") == {
        "hypervisor": {"uri": "test:///default", "kind": "test", "accelerator": None},
        "network": "simulated",
    }


def test_health_checks_of_this_machine(run: Run) -> None:
    """Every check on nodes that needs no argument tells findings here, each with a uid of its own; none is blank."""
    for file in sorted((SCRIPTS / "healthcheck").glob("*.py")):
        found = run(f"healthcheck/{file.stem}")
        assert found, file.stem
        assert all(one["category"] and one["uid"] and one["message"] for one in found), found
        assert {one["state"] for one in found} <= {"OK", "WARNING", "ERROR", "SKIPPED"}
        assert len({one["uid"] for one in found}) == len(found)


def test_inventory(run: Run) -> None:
    """The inventory tells of this machine's processors, cards, disks and packages, or says None."""
    found = run("node/inventory")
    assert found["cpus"] >= 1
    assert any(card["name"] == "lo" and card["driver"] is None for card in found["interfaces"])
    assert found["packages"] is None or found["packages"]["dpkg"]
    assert isinstance(found["dmi"], dict)


def test_logs_are_cut_only_where_they_may_be(run: Run, prefix: str, tmp_path: Path) -> None:
    """A long log keeps its last lines, a rotated one goes; short ones, other files, links and other places stay."""
    gateway_folder, named, other = tmp_path / "run" / f"{prefix}-g4", tmp_path / "named", tmp_path / "other"
    for folder in (gateway_folder, named, other):
        folder.mkdir()
    line = b"0123456789abcde\n"
    for file in (gateway_folder / "log", named / "a.log", named / "a.log.1", named / "data.db", other / "b.log"):
        file.write_bytes(line * (3 << 16))
    (named / "short.log").write_bytes(line)
    (named / "link.log").symlink_to(other / "b.log")
    (tmp_path / "work" / "log-folders").write_text(f"{named}\n# not a place\n")
    with (named / "a.log").open("ab") as writer:
        done = run("node/cleanlogs", most_mib=2, keep_mib=1)
        writer.write(b"after\n")
    cut = {one["path"]: one["action"] for one in done["files"]}
    assert cut == {
        str(gateway_folder / "log"): "cut",
        str(named / "a.log"): "cut",
        str(named / "a.log.1"): "removed",
    }
    left = (named / "a.log").read_bytes()
    assert left.startswith(line)
    assert left.endswith(b"after\n")
    assert 1 << 19 < len(left) <= (1 << 20) + 6
    assert done["freed"] >= 2 * (2 << 20)
    assert (other / "b.log").stat().st_size == (named / "data.db").stat().st_size == 3 << 20
    with pytest.raises(SpecError):
        run("node/cleanlogs", most_mib=2, keep_mib=0)
