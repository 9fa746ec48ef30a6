"""Members of a domain: logging on, its directory, its shares, its names, passwords, and those who look after it."""

from collections.abc import Sequence

from training.testbed.acts import Kind, Running, Stage
from training.testbed.people.shell import pause_s
from training.testbed.services.directory import GROUPS, Account
from training.testbed.services.domain import ADMIN, REALM, SHORT, Domain, known
from training.testbed.services.files import FOLDERS
from training.testbed.services.names import ZONE

BASE = ",".join(f"DC={part}" for part in ZONE.split("."))
SERVICE_NAMES = ("_ldap._tcp.dc._msdcs", "_kerberos._tcp.dc._msdcs", "_kerberos._udp", "_ldap._tcp", "_gc._tcp")
SITE_NAMES = tuple(f"{name}.Default-First-Site-Name._sites" for name in ("_ldap._tcp", "_kerberos._tcp"))
ATTRIBUTES = ("cn", "mail", "displayName", "memberOf", "userAccountControl", "objectSid", "whenChanged", "description")
PORT = ("-p", "445")
"""What keeps Samba's programs from trying the port of SMB's old days too."""
SCRIPTS = ("logon.cmd", "drives.vbs", "printers.ps1")
CLIENT = """\
[global]
workgroup = {short}
realm = {realm}
security = ads
netbios name = {name}
private dir = {folder}
lock directory = {folder}
state directory = {folder}
cache directory = {folder}
pid directory = {folder}
"""


def access(stage: Stage, domain: Domain) -> dict[str, str]:
    """Return the environment of somebody with a ticket file of this act's own."""
    way = stage.rng.choices(("tcp", "udp", "dns"), (5, 3, 2))[0]
    return {**domain.clients_config(way), "KRB5CCNAME": f"FILE:{stage.folder}/tickets"}


def somebody(stage: Stage, domain: Domain) -> Account:
    """Return a person of the domain; `changing` accounts are nobody's."""
    return stage.rng.choice([*domain.of("person"), *domain.of("weak"), *domain.of("open")])


def ticket(stage: Stage, account: Account, env: dict[str, str]) -> None:
    """Get a ticket for tickets, after a wrong password now and then."""
    rng = stage.rng
    if rng.random() < float(stage.settings.get("mistyped", 0.0)):
        stage.run("kinit", account.name, stdin=b"not-my-password\n", env=env, ok=(1,))
        stage.pause(pause_s(stage, 1.5, 0.5, 5.0))
    lasting = rng.choice(([], [], ["-l", "10h"], ["-r", "7d"], ["-f"]))
    stage.run("kinit", *lasting, account.name, stdin=f"{account.password}\n".encode(), env=env)


def find(stage: Stage, domain: Domain, most: int = 4) -> None:
    """Ask the controller's name server for the domain's services, as clients do before they call one."""
    rng = stage.rng
    names = rng.sample((*SERVICE_NAMES, *SITE_NAMES), rng.randint(1, most))
    asked = [f"{name}.{ZONE} SRV" for name in names] + [f"{domain.dc} {kind}" for kind in ("A", "AAAA")]
    batch = stage.folder / f"asked-{rng.getrandbits(24):x}"
    batch.write_text("\n".join(asked[: rng.randint(1, len(asked))]) + "\n")
    stage.run("dig", "+short", "+time=3", f"@{domain.v4}", "-f", str(batch), ok=(0, 9, 10))


def search(stage: Stage, domain: Domain, env: dict[str, str], *words: str, limit_s: float = 20.0) -> None:
    """Search the directory with the ticket."""
    port = stage.rng.choices(("", ":3268"), (6, 1))[0]
    base = ["ldapsearch", "-LLL", "-N", "-Q", "-Y", "GSSAPI", "-H", f"ldap://{domain.dc}{port}", "-b", BASE]
    stage.run(*base, *words, env=env, limit_s=limit_s)


def share(domain: Domain, name: str) -> list[str]:
    """Return the words of an smbclient that shows its ticket."""
    return ["smbclient", f"//{domain.dc}/{name}", *PORT, "-N", "--use-kerberos=required"]


def policies(stage: Stage, domain: Domain, env: dict[str, str], deep: bool) -> None:
    """Read group policies from `sysvol`, as a machine does that starts or a while has passed for."""
    rng = stage.rng
    root = f"{ZONE}/Policies"
    lines = [f'cd "{root}"', "ls"]
    for policy in ("{31B2F340-016D-11D2-945F-00C04FB984F9}", "{6AC1786C-016F-11D2-945F-00C04FB984F9}"):
        lines.append(f'get "{policy}/gpt.ini" {stage.folder}/gpt-{rng.getrandbits(20):x}')
        if deep or rng.random() < 0.2:
            lines.append(f'ls "{policy}/Machine/*"')
            lines.append(f'get "{policy}/Machine/Registry.pol" {stage.folder}/pol-{rng.getrandbits(20):x}')
    stage.run(*share(domain, "sysvol"), "-c", ";".join(lines), env=env, ok=None)


def log_on(stage: Stage) -> None:
    """Log on at a workstation: find the controller, get tickets, look oneself up, read policies and scripts."""
    rng, domain = stage.rng, known(stage.world)
    env, who = access(stage, domain), somebody(stage, domain)
    find(stage, domain)
    if rng.random() < 0.6:
        stage.run("net", "ads", "lookup", "-S", domain.dc, env=env, ok=None)
    ticket(stage, who, env)
    stage.pause(pause_s(stage, 0.2, 0.6, 1.5))
    search(stage, domain, env, f"(sAMAccountName={who.name})", *rng.sample(ATTRIBUTES, rng.randint(1, 6)))
    policies(stage, domain, env, deep=rng.random() < 0.4)
    if rng.random() < 0.7:
        gets = [f"get {name} {stage.folder}/{name}" for name in rng.sample(SCRIPTS, rng.randint(1, 3))]
        stage.run(*share(domain, "netlogon"), "-c", ";".join(gets), env=env, ok=None)
    if rng.random() < 0.5:
        stage.run("smbclient", *PORT, "-L", f"//{domain.dc}", "-N", "--use-kerberos=required", "-g", env=env, ok=None)
    stage.run("klist", env=env)


def refresh(stage: Stage) -> None:
    """Refresh the policies of a machine: its own ticket, a search for what applies, and their files."""
    rng, domain = stage.rng, known(stage.world)
    env, machine = access(stage, domain), rng.choice(domain.of("machine"))
    if rng.random() < 0.4:
        find(stage, domain, 2)
    ticket(stage, machine, env)
    wanted = ("gPLink", "gPOptions", "distinguishedName")
    search(stage, domain, env, "-s", "base", "(objectClass=*)", *wanted)
    if rng.random() < 0.6:
        search(stage, domain, env, "(objectClass=groupPolicyContainer)", "gPCFileSysPath", "versionNumber", "flags")
    policies(stage, domain, env, deep=rng.random() < 0.15)


def look_up(stage: Stage) -> None:
    """Search the directory: an address book, a program that checks members, a list of everybody."""
    rng, domain = stage.rng, known(stage.world)
    way = rng.choices(("ticket", "simple", "nobody"), (4, 5, 1))[0]
    filters = [
        "(&(objectCategory=person)(mail=*))",
        f"(sAMAccountName={somebody(stage, domain).name})",
        f"(cn={rng.choice('abcdefghijkl')}*)",
        f"(memberOf=CN={rng.choice(GROUPS)},CN=Users,{BASE})",
        "(objectClass=group)",
        "(objectClass=computer)",
        f"(&(objectClass=user)(mail={somebody(stage, domain).name}@{ZONE}))",
    ]
    if way == "nobody":
        stage.run("ldapsearch", "-LLL", "-x", "-H", f"ldap://{domain.dc}", "-s", "base", ok=None)
        return
    env, who = access(stage, domain), somebody(stage, domain)
    if way == "ticket":
        ticket(stage, who, env)
    for _ in range(1 + min(8, int(rng.expovariate(0.6)))):
        asked = [rng.choice(filters), *rng.sample(ATTRIBUTES, rng.randint(1, len(ATTRIBUTES)))]
        paging = rng.choice(([], [], ["-E", f"pr={rng.choice((5, 10, 50))}/noprompt"]))
        if way == "ticket":
            search(stage, domain, env, *paging, *asked)
        else:
            bound = ["ldapsearch", "-LLL", "-x", "-D", f"{who.name}@{ZONE}", "-w", who.password]
            stage.run(*bound, "-H", f"ldap://{domain.dc}", "-b", BASE, *paging, *asked, ok=None)
        stage.pause(pause_s(stage, 0.3, 0.9, 4.0))


def _line(stage: Stage, domain: Domain) -> str:
    """Return one thing that somebody does on the share `team`."""
    rng = stage.rng
    way = rng.choices(("ls", "folder", "get", "put", "info"), (3, 4, 5, 4, 2))[0]
    folder, name = rng.choice(FOLDERS), rng.choice(domain.files)
    if way == "get":
        return f"get {name} {stage.folder}/{name.replace('/', '-')}\n"
    if way == "put":
        file = stage.folder / f"own-{rng.getrandbits(24):x}"
        with file.open("wb") as out:
            out.truncate(min(1_500_000, 1 + int(float(stage.settings["bytes"]) * rng.lognormvariate(0.0, 1.6))))
        return f"put {file} {folder}/{file.name}\n"
    return {"ls": "ls\n", "folder": f"ls {folder}/*\n", "info": f"allinfo {name}\n"}[way]


def work(stage: Stage) -> None:
    """Work with the files of a share: open it and read and write in it for a while, in bunches."""
    rng, domain = stage.rng, known(stage.world)
    env, who = access(stage, domain), somebody(stage, domain)
    longest_s = float(stage.settings["longest_s"])
    if rng.random() < 0.75:
        ticket(stage, who, env)
        words = share(domain, "team")
    else:
        words = ["smbclient", f"//{domain.dc}/team", *PORT, "-U", f"{SHORT}\\{who.name}%{who.password}"]
    client = stage.start(*words, "-m", rng.choice(("SMB2", "SMB3", "SMB3")), env=env, limit_s=longest_s + 15.0)
    left_s = min(longest_s, rng.lognormvariate(0.0, 0.8) * float(stage.settings["typical_s"]))
    while left_s > 0.0:
        left_s -= _bunch(stage, domain, client, left_s)
    client.wait(8.0)


def _bunch(stage: Stage, domain: Domain, client: Running, left_s: float) -> float:
    """Do a few things on the share one after the other, then rest; return how long it took in all."""
    rng, took_s = stage.rng, 0.0
    for _ in range(1 + min(15, int(rng.expovariate(0.3)))):
        client.say(_line(stage, domain))
        nap_s = min(left_s - took_s, rng.lognormvariate(-1.6, 0.9))
        stage.pause(max(0.0, nap_s))
        took_s += max(0.0, nap_s)
    rest_s = max(0.0, min(left_s - took_s, rng.lognormvariate(1.8, 0.9)))
    stage.pause(rest_s)
    return took_s + rest_s + 0.01


def carry(stage: Stage) -> None:
    """Copy many files of the share at once, or bring a folder of one's own."""
    rng, domain = stage.rng, known(stage.world)
    env = access(stage, domain)
    ticket(stage, somebody(stage, domain), env)
    if rng.random() < 0.5:
        lines = [f"lcd {stage.folder}", "prompt", "recurse", f"mget {rng.choice(FOLDERS)}"]
    else:
        lines = [_line(stage, domain).strip() for _ in range(rng.randint(4, 25))]
    stage.run(*share(domain, "team"), "-c", ";".join(lines), env=env, ok=None, limit_s=50.0)


def names(stage: Stage) -> None:
    """Ask the controller for names, or tell it a machine's own."""
    rng, domain = stage.rng, known(stage.world)
    if rng.random() < 0.6:
        find(stage, domain, 6)
        return
    host = f"pc{rng.randint(1, 40):02d}.{ZONE}"
    lines = [f"server {domain.dc}", f"zone {ZONE}", f"update delete {host} A"]
    lines += [f"update add {host} {rng.choice((300, 900, 1200))} A {stage.host.v4}", "send"]
    if rng.random() < 0.5:
        env = access(stage, domain)
        ticket(stage, rng.choice(domain.of("machine")), env)
        # The record may be another machine's: the controller then refuses, as it does at an office.
        stage.run("nsupdate", "-g", stdin=("\n".join(lines) + "\n").encode(), env=env, ok=None)
    else:
        stage.run("nsupdate", stdin=("\n".join(lines) + "\n").encode(), ok=None)


def tickets(stage: Stage) -> None:
    """Get tickets for a few services, one after the other, as programs do that call them."""
    rng, domain = stage.rng, known(stage.world)
    env = access(stage, domain)
    ticket(stage, somebody(stage, domain), env)
    services = [f"{kind}/{domain.dc}" for kind in ("cifs", "ldap", "host")]
    services += [account.principal for account in domain.of("service")]
    for name in rng.sample(services, rng.randint(1, 3)):
        stage.run("kvno", name, env=env, ok=None)
        stage.pause(pause_s(stage, 0.3, 1.0, 4.0))
    if rng.random() < 0.3:
        stage.run("kinit", "-R", env=env, ok=None)


def administer(stage: Stage) -> None:
    """Look after the domain: accounts, groups, names, shares, services; a few questions by an administrator."""
    rng, domain = stage.rng, known(stage.world)
    who = somebody(stage, domain)
    login = f"{ADMIN}%{domain.admin_password}"
    asked: Sequence[list[str]] = [
        ["rpcclient", domain.dc, *PORT, "-U", login, "-c", f"lookupnames {who.name};querydominfo"],
        ["rpcclient", domain.dc, *PORT, "-U", login, "-c", "enumdomusers"],
        ["rpcclient", domain.dc, *PORT, "-U", login, "-c", f"queryuser {who.name}"],
        ["net", "rpc", "group", "members", rng.choice(GROUPS), "-S", domain.dc, *PORT, "-U", login],
        ["net", "rpc", "user", "info", who.name, "-S", domain.dc, *PORT, "-U", login],
        ["net", "rpc", "share", "list", "-S", domain.dc, *PORT, "-U", login],
        ["net", "time", "-S", domain.dc],
        ["net", "ads", "info", "-S", domain.dc],
        ["samba-tool", "dns", "query", domain.dc, ZONE, "@", "ALL", "-U", login],
        ["samba-tool", "user", "show", who.name, "-H", f"ldap://{domain.dc}", "-U", login],
        ["samba-tool", "group", "listmembers", rng.choice(GROUPS), "-H", f"ldap://{domain.dc}", "-U", login],
        ["samba-tool", "fsmo", "show", "-H", f"ldap://{domain.dc}", "-U", login],
        ["samba-tool", "gpo", "listall", "-H", f"ldap://{domain.dc}", "-U", login],
    ]
    for words in rng.sample(asked, rng.randint(1, 3)):
        stage.run(*words, ok=None, limit_s=25.0)
        stage.pause(pause_s(stage, 1.0, 0.8, 6.0))


def change(stage: Stage) -> None:
    """Change a password, over Kerberos or over SAMR, and back again."""
    rng, domain = stage.rng, known(stage.world)
    env, who = access(stage, domain), rng.choice(domain.of("changing"))
    fresh = f"Pw-{rng.getrandbits(56):x}"
    for old, new in ((who.password, fresh), (fresh, who.password)):
        told = f"{old}\n{new}\n{new}\n".encode()
        if rng.random() < 0.5:
            stage.run("kpasswd", who.name, stdin=told, env=env, ok=None)
        else:
            stage.run("smbpasswd", "-s", "-r", domain.dc, "-U", who.name, stdin=told, env=env, ok=None)
        stage.pause(pause_s(stage, 0.5, 0.5, 3.0))


def join(stage: Stage) -> None:
    """Let a new machine join the domain, and have it prove itself and change its password."""
    rng, domain = stage.rng, known(stage.world)
    env = access(stage, domain)
    config = stage.folder / "smb.conf"
    name = f"WS{rng.getrandbits(32):08X}"
    config.write_text(CLIENT.format(short=SHORT, realm=REALM, name=name, folder=stage.folder))
    own = ["-s", str(config)]
    login = f"{ADMIN}%{domain.admin_password}"
    stage.run(
        "net", "ads", "join", *own, "-S", domain.dc, "-U", login, "--no-dns-updates", env=env, limit_s=25, ok=None
    )
    proofs = (
        ["ads", "testjoin"],
        ["rpc", "testjoin", "-S", domain.dc],
        ["ads", "changetrustpw"],
        ["ads", "user", "-P"],
    )
    for words in rng.sample(proofs, rng.randint(1, 3)):
        stage.run("net", *words, *own, env=env, ok=None)
        stage.pause(pause_s(stage, 0.5, 0.8, 3.0))


KERBEROS = {"kinit": "krb5-user", "klist": "krb5-user", "kvno": "krb5-user", "kpasswd": "krb5-user"}
SMB = {"smbclient": "smbclient", "rpcclient": "smbclient", "net": "samba-common-bin", "smbpasswd": "samba-common-bin"}
NAMES = {"dig": "bind9-dnsutils", "nsupdate": "bind9-dnsutils"}
ALL = {**KERBEROS, **SMB, "ldapsearch": "ldap-utils", **NAMES, "samba-tool": "samba-common-bin"}
SERVED = ("domain",)
KINDS = (
    Kind("domain-logon", "benign", log_on, ALL, SERVED, 4.0, 60.0, {"mistyped": 0.1}),
    Kind("domain-policy", "benign", refresh, ALL, SERVED, 2.0, 50.0),
    Kind("domain-search", "benign", look_up, ALL, SERVED, 3.0, 60.0, {"mistyped": 0.03}),
    Kind(
        "domain-work",
        "benign",
        work,
        ALL,
        SERVED,
        45.0,
        240.0,
        {"typical_s": 35.0, "longest_s": 180.0, "bytes": 9_000, "mistyped": 0.05},
    ),
    Kind("domain-copy", "benign", carry, ALL, SERVED, 3.0, 70.0, {"bytes": 40_000}),
    Kind("domain-names", "benign", names, ALL, SERVED, 1.0, 40.0),
    Kind("domain-tickets", "benign", tickets, ALL, SERVED, 3.0, 50.0, {"mistyped": 0.05}),
    Kind("domain-admin", "benign", administer, ALL, SERVED, 6.0, 90.0),
    Kind("domain-password", "benign", change, ALL, SERVED, 4.0, 50.0),
    Kind("domain-join", "benign", join, ALL, SERVED, 8.0, 90.0),
)
