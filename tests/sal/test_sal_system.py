"""Accounts, packages, services, processes, clock and sensors: on systems of their own in temporary folders."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sal.command import run
from sal.errors import AccountMissingError, CommandError, ProcessError, SpecError, SystemdMissingError
from sal.measures import sensors
from sal.system.clock import ensure_time_servers, ensure_zone, read_clock
from sal.system.groups import ensure_group, read_groups, remove_group
from sal.system.packages import (
    ensure_packages,
    read_packages,
    read_upgrades,
    refresh_lists,
    remove_packages,
)
from sal.system.processes import alive, end, listeners, read_processes
from sal.system.sensors import read_sensors
from sal.system.services import enabled, ensure_at_boot, ensure_running, read_services, systemd_runs
from sal.system.units import check_unit, ensure_unit, remove_unit
from sal.system.users import UserSpec, ensure_user, read_users, remove_user

UNIT = "[Unit]\nDescription=A test\n[Service]\nExecStart=/bin/sleep 9\n[Install]\nWantedBy=multi-user.target\n"
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="NOT ROOT: accounts and packages need it")


def tool(name: str, package: str) -> pytest.MarkDecorator:
    reason = f"NO {name.upper()}: apt-get install {package}"
    return pytest.mark.skipif(not shutil.which(name), reason=reason)


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """Give a folder with the accounts of a new system."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (tmp_path / "etc/group").write_text("root:x:0:\nsudo:x:27:\n")
    for name in ("shadow", "gshadow"):
        (tmp_path / "etc" / name).write_text("")
    return tmp_path


@root_only
def test_users(system: Path) -> None:
    """A user is made once, changed in each respect, disabled, and removed with the home."""
    first = UserSpec("ann", 1501, "ops", ["sudo"], "/home/ann", "/bin/bash", "Ann O'Nymous")
    with pytest.raises(AccountMissingError, match="user ann: there is no group ops"):
        ensure_user(first, system)
    assert [len(ensure_group("ops", 1500, system)), ensure_group("ops", 1500, system)] == [1, []]
    assert [len(ensure_user(first, system)), ensure_user(first, system)] == [1, []]
    assert (system / "home/ann").is_dir()
    other = UserSpec("ann", 1502, "sudo", ["ops"], "/home/ann2", "/bin/sh", "", disabled=True)
    assert [len(ensure_user(other, system)), ensure_user(other, system)] == [1, []]
    found = read_users(system)["ann"]
    assert (found.uid, found.group, found.groups, found.home) == (1502, "sudo", ("ops",), "/home/ann2")
    assert (found.shell, found.comment, found.disabled, found.has_password) == ("/bin/sh", "", True, False)
    assert len(ensure_user(UserSpec("ann"), system)) == 1  # no longer disabled, and nothing else
    assert read_users(system)["ann"].uid == 1502
    assert [len(remove_user("ann", system)), remove_user("ann", system)] == [1, []]
    assert [len(remove_group("ops", system)), remove_group("ops", system)] == [1, []]
    assert set(read_users(system)) == set(read_groups(system)) - {"sudo"} == {"root"}


def test_accounts_here() -> None:
    """This very machine has root, in a group of its own."""
    assert (read_users()["root"].uid, read_users()["root"].group) == (0, "root")


@pytest.fixture
def debian(system: Path) -> Path:
    """Give a folder with apt's and dpkg's places, and a repository of one package in two versions."""
    for name in ("var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/apt/lists", "var/cache/apt/archives/partial"):
        (system / name).mkdir(parents=True)
    for name in ("etc/apt/sources.list.d", "etc/apt/apt.conf.d", "etc/apt/preferences.d", "var/log/apt", "repo"):
        (system / name).mkdir(parents=True)
    for name in ("status", "available"):
        (system / "var/lib/dpkg" / name).touch()
    (system / "etc/apt/sources.list").write_text(f"deb [trusted=yes] file:{system}/repo ./\n")
    system.chmod(0o755)
    publish(system, "1.0")
    return system


def publish(system: Path, version: str) -> None:
    """Add a version of the package ``sal-test`` to the repository."""
    tree = system / f"tree-{version}"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "usr/share/sal-test").mkdir(parents=True)
    (tree / "usr/share/sal-test/version").write_text(version)
    control = f"Package: sal-test\nVersion: {version}\nArchitecture: all\nMaintainer: t <t@t.t>\nDescription: test\n"
    (tree / "DEBIAN/control").write_text(control)
    file = system / f"repo/sal-test_{version}.deb"
    run(["dpkg-deb", "--build", str(tree), str(file)])
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    with (system / "repo/Packages").open("a") as index:
        index.write(f"{control}Filename: ./{file.name}\nSize: {file.stat().st_size}\nSHA256: {digest}\n\n")


@root_only
@tool("apt-get", "apt")
def test_packages(debian: Path) -> None:
    """Lists are fetched when old; a package is installed once, seen as outdated, brought up to a version, removed."""
    assert [len(refresh_lists(debian)), refresh_lists(debian)] == [1, []]
    assert [len(ensure_packages(["sal-test"], debian)), ensure_packages(["sal-test"], debian)] == [1, []]
    assert read_packages(debian)["sal-test"].version == "1.0"
    assert read_upgrades(debian) == []
    publish(debian, "2.0")
    assert len(refresh_lists(debian, oldest=0)) == 1
    assert [(one.name, one.old, one.new, one.security) for one in read_upgrades(debian)] == [
        ("sal-test", "1.0", "2.0", False)
    ]
    wanted = ["sal-test=2.0"]
    assert [len(ensure_packages(wanted, debian)), ensure_packages(wanted, debian)] == [1, []]
    assert (debian / "usr/share/sal-test/version").read_text() == "2.0"
    with pytest.raises(CommandError, match="no-such-package"):
        ensure_packages(["no-such-package"], debian)
    assert [len(remove_packages(["sal-test"], debian)), remove_packages(["sal-test"], debian)] == [1, []]
    assert read_packages(debian) == {}


@tool("dpkg-query", "dpkg")
def test_packages_here() -> None:
    """This very machine has dpkg by dpkg."""
    assert read_packages()["dpkg"].version


@tool("systemctl", "systemd")
def test_unit_at_boot(tmp_path: Path) -> None:
    """A unit of a system in a folder is written once, enabled once, disabled once, and removed."""
    name = "sal-test.service"
    (tmp_path / "usr/lib/systemd/system").mkdir(parents=True)
    with pytest.raises(SpecError, match=f"unit {name}: not there"):
        ensure_at_boot(name, root=tmp_path)
    assert [len(ensure_unit(name, UNIT, tmp_path)), ensure_unit(name, UNIT, tmp_path)] == [1, []]
    assert enabled(name, tmp_path) == "disabled"
    assert [len(ensure_at_boot(name, root=tmp_path)), ensure_at_boot(name, root=tmp_path)] == [1, []]
    assert (tmp_path / "etc/systemd/system/multi-user.target.wants" / name).is_symlink()
    assert [
        len(ensure_at_boot(name, wanted=False, root=tmp_path)),
        ensure_at_boot(name, wanted=False, root=tmp_path),
    ] == [1, []]
    ensure_at_boot(name, root=tmp_path)
    assert [len(remove_unit(name, tmp_path)), remove_unit(name, tmp_path)] == [2, []]
    assert list((tmp_path / "etc/systemd/system").rglob("*.service")) == []


@tool("systemd-analyze", "systemd")
def test_unit_is_checked(tmp_path: Path) -> None:
    """Systemd finds nothing to say of a good unit, and names what is wrong with a bad one."""
    (tmp_path / "good.service").write_text(UNIT)
    (tmp_path / "bad.service").write_text(UNIT.replace("/bin/sleep", "/no/such"))
    check_unit(tmp_path / "good.service")
    with pytest.raises(CommandError, match="/no/such is not executable"):
        check_unit(tmp_path / "bad.service")


@pytest.mark.skipif(systemd_runs(), reason="SYSTEMD RUNS: this is about machines without it")
def test_without_systemd() -> None:
    """Where systemd has not started the machine, that is what one is told."""
    for call in (read_services, lambda: ensure_running("ssh.service")):
        with pytest.raises(SystemdMissingError, match="not started by systemd"):
            call()


@pytest.mark.skipif(not systemd_runs(), reason="NO SYSTEMD: it has not started this machine")
def test_services_here() -> None:
    """Systemd tells about its own services."""
    assert any(one.active == "active" and one.pid for one in read_services())


def test_processes() -> None:
    """A process is found by its arguments and port, ends when told, and by force when it does not listen."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(99)"
    with subprocess.Popen([sys.executable, "-c", code, "sal-test-7"], stdout=subprocess.PIPE, text=True) as deaf:
        assert deaf.stdout is not None
        deaf.stdout.readline()
        (found,) = read_processes(argument="sal-test-7")
        assert (found.pid, found.parent, found.command[-1]) == (deaf.pid, os.getpid(), "sal-test-7")
        assert found.memory > 1 << 20
        with socket.create_server(("127.0.0.1", 0)) as server:
            assert listeners(server.getsockname()[1]) == [os.getpid()]
        assert end([deaf.pid], limit=0.3) == [deaf.pid]
        assert not alive(deaf.pid)
        assert end([deaf.pid]) == []


def test_process_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that hangs in the kernel is named."""
    monkeypatch.setattr("sal.system.processes.alive", lambda _: True)
    monkeypatch.setattr("sal.system.processes._tell", lambda *_: None)
    with pytest.raises(ProcessError, match=r"processes \[7\] do not end"):
        end([7], limit=0.01)


def test_clock(tmp_path: Path) -> None:
    """A time zone and time servers are set once; what there is none of is refused."""
    for name in ("Europe/Amsterdam", "UTC"):
        (tmp_path / "usr/share/zoneinfo" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "usr/share/zoneinfo" / name).touch()
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/timezone").write_text("UTC\n")
    assert [len(ensure_zone("Europe/Amsterdam", tmp_path)), ensure_zone("Europe/Amsterdam", tmp_path)] == [2, []]
    servers = ["ntp.example.org", "10.0.0.1"]
    assert [len(ensure_time_servers(servers, tmp_path)), ensure_time_servers(servers, tmp_path)] == [1, []]
    found = read_clock(tmp_path)
    assert (found.zone, found.servers) == ("Europe/Amsterdam", ("ntp.example.org", "10.0.0.1"))
    assert (tmp_path / "etc/timezone").read_text() == "Europe/Amsterdam\n"
    for wrong in ("Europe/Nowhere", "../../etc/passwd"):
        with pytest.raises(SpecError, match="time zone"):
            ensure_zone(wrong, tmp_path)
    with pytest.raises(SpecError, match="time server"):
        ensure_time_servers(["a\nb"], tmp_path)


def test_clock_here() -> None:
    """The kernel of this very machine tells whether its clock is kept, and how wrong it may be only if so."""
    found = read_clock()
    assert (found.error is not None) == found.synchronized


def test_sensors(tmp_path: Path) -> None:
    """What hardware monitors show is read in people's units; what sleeps or is not wired is left out."""
    files = {
        "hwmon0/name": "coretemp",
        "hwmon0/temp1_input": "45500",
        "hwmon0/temp1_label": "Package id 0",
        "hwmon0/temp1_max": "80000",
        "hwmon0/temp1_crit": "100000",
        "hwmon0/temp2_input": "-128000",
        "hwmon1/name": "nct6775",
        "hwmon1/fan2_input": "1180",
        "hwmon1/fan2_min": "300",
        "hwmon1/fan2_alarm": "1",
        "hwmon1/in0_input": "1016",
        "hwmon1/power1_input": "25000000",
        "hwmon1/intrusion0_alarm": "0",
        "hwmon1/temp7_input": "nonsense",
    }
    for name, text in files.items():
        file = tmp_path / "sys/class/hwmon" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    found = read_sensors(tmp_path)
    assert [(one.chip, one.label, one.value, one.unit) for one in found] == [
        ("coretemp", "Package id 0", 45.5, "°C"),
        ("nct6775", "fan2", 1180, "rpm"),
        ("nct6775", "in0", 1.016, "V"),
        ("nct6775", "power1", 25, "W"),
    ]
    assert (found[0].high, found[0].critical, found[0].alarm) == (80, 100, None)
    assert (found[1].low, found[1].alarm) == (300, True)
    assert [(one.key, one.gauges) for one in sensors(tmp_path)] == [("coretemp Package id 0", {"celsius": 45.5})]


def test_sensors_here() -> None:
    """Whatever this very machine has of sensors can be read."""
    assert all(one.chip and one.unit for one in read_sensors())
