"""The SSH servers and the users' homes."""

from typing import Any

from tests.training.testbed.bench import Bench
from training.testbed.services.shell import PAPERS, SERVICES, key

QUIET = ["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]


def signed_in(bench: Bench) -> dict[str, str]:
    """Sign in by key and by password, rightly and wrongly, on both servers."""
    bench.serve("names", "shell")
    world, said = bench.world, {}
    for host in ("web", "store"):
        words = ["ssh", *QUIET, "-i", str(key(world, "ada")), f"ada@{host}.home.test", "whoami; ls papers | wc -l"]
        said[host] = bench.run("desk", *words).stdout
    for name, password in (("right", world.passwords["guest"]), ("wrong", "no")):
        words = ["sshpass", "-p", password, "ssh", *QUIET, "-o", "PubkeyAuthentication=no", "guest@web.home.test", "id"]
        done = bench.run("laptop", *words)
        said[name] = f"{done.returncode} {done.stdout}"
    said["log"] = (world.folder("shell-web") / "log").read_text()
    return said


def test_people_get_in_by_key_and_by_password_only(in_world: Any):
    said = in_world(signed_in)
    assert said["web"] == said["store"] == f"ada\n{PAPERS}\n"
    assert "(guest)" in said["right"] and said["right"].startswith("0")
    assert said["wrong"].startswith("5")
    # The second witness names who came from where.
    assert "Accepted publickey for ada from 10.77.1.10 port" in said["log"] or "from fd77:1::10 port" in said["log"]
    assert "Failed password for guest" in said["log"]


def test_each_server_has_its_own_service():
    assert [(one.name, one.host, one.tcp) for one in SERVICES] == [
        ("shell-web", "web", (22,)),
        ("shell-store", "store", (22,)),
    ]
