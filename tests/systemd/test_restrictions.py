"""What a process inside the shipped unit can do and cannot, found out on a running systemd."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.systemd.conftest import Boot
from tests.systemd.root import SITE, TREE

CAP_NET_RAW = f"{1 << 13:016x}"
INSTEAD = f"""\
[Service]
Type=oneshot
Restart=no
ExecStart=
ExecStart=/usr/bin/python3 /opt/probe.py {TREE} lo
Environment=PYTHONPATH={SITE}
StandardOutput=file:/run/probe.json
"""
NEEDED = {
    "score", "ring", "packet socket", "unix socket", "netlink socket", "import ctypes", "load libpcap",
    "read the processor", "write logs", "write state", "write runtime", "write temporary",
}  # fmt: skip
REFUSED = {
    "IPv4 socket": "EAFNOSUPPORT",
    "IPv6 socket": "EAFNOSUPPORT",
    "raw IP socket": "EAFNOSUPPORT",
    "connect to itself": "EAFNOSUPPORT",
    "connect elsewhere": "EAFNOSUPPORT",
    "write configuration": "EACCES",
    "write program": "EROFS",
    "read home": "EACCES",
    "read credentials": "EACCES",
    "see other logs": "ENOENT",
    "see PID 1": "ENOENT",
    "writable code": "EPERM",
    "run from logs": "EACCES",
    "run from state": "EACCES",
    "run from runtime": "EACCES",
    "run from temporary": "EACCES",
    "run from shared memory": "EACCES",
    "choose a core": "EPERM",
    "raise priority": "EPERM",
    "be real-time": "EPERM",
    "new namespace": "EPERM",
    "become root": "EPERM",
    "set the clock": "EPERM",
    "give a file away": "EPERM",
    "change personality": "EPERM",
}


def probe(boot: Boot, repo: Path, files: dict[str, str] | None = None) -> dict[str, Any]:
    """Return what the probe found in place of the sensor, with further files in the machine."""
    drop_in = "/etc/systemd/system/nettrusion@lo.service.d/zz-probe.conf"
    script = (repo / "tests/systemd/probe.py").read_text()
    machine = boot({drop_in: INSTEAD, "/opt/probe.py": script, "/var/log/private/other/x": "", **(files or {})})
    machine.run("chmod", "700", "/var/log/private")
    # A way out of the machine, for what must not take it.
    machine.run("ip", "link", "add", "out", "type", "veth", "peer", "name", "beyond")
    machine.run("ip", "address", "add", "192.0.2.2/24", "dev", "out")
    machine.run("ip", "link", "set", "out", "up")
    started = machine.run("systemctl", "start", "nettrusion@lo", check=False)
    assert started.returncode == 0, machine.journal("nettrusion@lo") + machine.read("/run/probe.json")
    found: dict[str, Any] = json.loads(machine.read("/run/probe.json"))
    return found


def test_the_sensor_can_do_its_work_and_nothing_else(boot: Boot, repo: Path):
    found = probe(boot, repo)
    assert found["outcomes"] == dict.fromkeys(NEEDED, "done") | REFUSED
    process = found["process"]
    assert {process[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {CAP_NET_RAW}
    assert process["NoNewPrivs"] == "1"
    assert process["Seccomp"] == "2"
    # The range of dynamic users, which no package may take: systemd's users and groups document.
    assert {61184 <= int(number) <= 65519 for number in (process["Uid"] + "\t" + process["Gid"]).split()} == {True}
    assert found["core_bytes"] == [0, 0]
    assert found["cwd"] == "/var/log/private/nettrusion"


def test_the_drop_in_for_network_sinks_opens_addresses_that_it_names_and_no_others(boot: Boot, repo: Path):
    text = (repo / "systemd/drop-ins/network-sinks.conf").read_text()
    found = probe(boot, repo, {"/etc/systemd/system/nettrusion@.service.d/network-sinks.conf": text})
    expected = REFUSED | {
        "IPv4 socket": "done",
        "IPv6 socket": "done",
        # Still an address family of its own right, which CAP_NET_RAW is for.
        "raw IP socket": "done",
        # Nobody listens there; the packet was let through.
        "connect to itself": "ECONNREFUSED",
        "connect elsewhere": "EPERM",
    }
    assert found["outcomes"] == dict.fromkeys(NEEDED, "done") | expected


def test_a_static_user_loses_nothing_but_the_private_directories(boot: Boot, repo: Path):
    found = probe(
        boot,
        repo,
        {
            "/etc/systemd/system/nettrusion@.service.d/static-user.conf": (
                repo / "systemd/drop-ins/static-user.conf"
            ).read_text(),
            "/usr/lib/sysusers.d/nettrusion.conf": (repo / "systemd/nettrusion.sysusers").read_text(),
        },
    )
    # There is no private folder to hide other logs in; their own permissions must do that.
    assert found["outcomes"] == dict.fromkeys(NEEDED, "done") | REFUSED | {"see other logs": "EACCES"}
    # The range of system users that packages make.
    assert {0 < int(number) < 1000 for number in found["process"]["Uid"].split()} == {True}
    assert found["cwd"] == "/var/log/nettrusion"


def test_credentials_reach_the_sensor_and_only_it(boot: Boot, repo: Path):
    found = probe(
        boot,
        repo,
        {
            "/etc/systemd/system/nettrusion@.service.d/credentials.conf": (
                repo / "systemd/drop-ins/credentials.conf"
            ).read_text(),
            "/etc/nettrusion/credentials/redis-password": "open sesame",
        },
    )
    assert found["credentials"] == {"redis-password": "open sesame"}
    assert found["outcomes"] == dict.fromkeys(NEEDED, "done") | REFUSED


@pytest.mark.parametrize("name", ["resources.conf", "several-interfaces.conf", "late-interface.conf"])
def test_every_other_drop_in_is_understood(boot: Boot, repo: Path, name: str):
    machine = boot()
    path = f"/etc/systemd/system/nettrusion@lo.service.d/{name}"
    machine.write(path, (repo / "systemd/drop-ins" / name).read_text())
    machine.run("cp", "/usr/lib/systemd/system/nettrusion@.service", "/tmp/nettrusion@lo.service")
    said = machine.run("systemd-analyze", "verify", "/tmp/nettrusion@lo.service")
    assert said.stderr == ""
