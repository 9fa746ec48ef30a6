"""Domain service: Samba as the only domain controller of `works.test`, with people, machines and groups.

It is the directory (LDAP), the realm (Kerberos), the name server of its zone, the remote procedures of
a controller (DCERPC behind port 135) and the shares `sysvol`, `netlogon` and `team`. Everything lies
below the service's folder; the accounts are made up anew from the recording's seed.
"""

import json
import os
import random
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sensor.errors import NettrusionError
from training.testbed.service import Service
from training.testbed.services.directory import Account, ldif, people
from training.testbed.services.files import catalogue
from training.testbed.services.names import ZONE
from training.testbed.world import World

REALM, SHORT, NAME, HOST = ZONE.upper(), "WORKS", "domain", "dc"
ADMIN = "Administrator"
SERVES = "s3fs, rpc, ldap, cldap, kdc, drepl, winbindd, dns"
CONFIG = """\
[global]
workgroup = {short}
realm = {realm}
netbios name = DC
server role = active directory domain controller
server services = {serves}
dns forwarder = {forwarder}
allow dns updates = nonsecure and secure
private dir = {folder}/private
lock directory = {folder}/lock
state directory = {folder}/state
cache directory = {folder}/cache
pid directory = {folder}/pid
ncalrpc dir = {folder}/ncalrpc
ntp signd socket directory = {folder}/ntp_signd
xattr_tdb:file = {folder}/state/xattr.tdb
vfs objects = dfs_samba4 acl_xattr xattr_tdb
log file = {folder}/log.samba
log level = 1
ldb:nosync = yes
max log size = 0
disable netbios = yes
smb ports = 445
prefork children = 2
ldap server require strong auth = no
rpc server dynamic port range = 49152-49200
load printers = no
printing = bsd
printcap name = /dev/null
tls enabled = no
[sysvol]
path = {folder}/state/sysvol
read only = no
[netlogon]
path = {folder}/state/sysvol/{zone}/scripts
read only = no
[team]
path = {folder}/team
read only = no
force user = root
[ADMIN$]
path = {folder}/admin
read only = no
admin users = {admin}
force user = root
"""
KERBEROS = """\
[libdefaults]
default_realm = {realm}
dns_lookup_realm = false
dns_lookup_kdc = {lookup}
rdns = false
udp_preference_limit = {limit}
[realms]
{realm} = {{
{kdc}admin_server = {dc}
}}
[domain_realm]
.{zone} = {realm}
{zone} = {realm}
"""
FILES = {
    "share/samba/setup/provision.ldif": "samba-ad-provision",
    "lib/*/samba/ldb/samldb.so": "samba-dsdb-modules",
    "lib/*/samba/vfs/xattr_tdb.so": "samba-vfs-modules",
    "lib/*/sasl2/libgssapiv2.so": "libsasl2-modules-gssapi-mit",
}
"""What no program tells to be missing: files below /usr, and the packages that bring them."""
POLICIES = {"gpt.ini": 60, "Machine/Registry.pol": 2_800, "Machine/Microsoft/Windows NT/SecEdit/GptTmpl.inf": 1_100}
"""Files of a group policy, with about how many bytes each has."""


@dataclass(frozen=True, slots=True)
class Domain:
    """What clients know of the domain: its controller's name and address, its accounts, the files of `team`."""

    dc: str
    v4: str
    folder: Path
    admin_password: str
    accounts: Sequence[Account]
    files: Sequence[str]

    def clients_config(self, way: str) -> dict[str, str]:
        """Return the environment of a Kerberos client; `way` is `udp`, `tcp`, or `dns` (looks for its controller)."""
        return {"KRB5_CONFIG": str(self.folder / f"krb5-{way}.conf")}

    def of(self, kind: str) -> list[Account]:
        """Return the accounts of a kind: `person`, `machine`..., see `directory.people`."""
        return [account for account in self.accounts if account.kind == kind]


def known(world: World) -> Domain:
    """Return the domain of a world whose service is set up."""
    folder = world.folder(NAME)
    told = json.loads((folder / "known.json").read_text())
    accounts = tuple(Account(**one) for one in told["accounts"])
    return Domain(f"{HOST}.{ZONE}", world.host(HOST).v4, folder, told["password"], accounts, told["files"])


def _furnish(world: World, rng: random.Random) -> None:
    if lacks := missing(Path("/usr")):
        raise NettrusionError(f"files are missing: apt-get install {' '.join(lacks)}")
    folder = world.folder(NAME)
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    password = f"Adm1n-{rng.getrandbits(48):x}"
    _provision(world, folder, password)
    files = _share(folder, rng)
    _policies(folder, rng)
    accounts = people(rng)
    told = {"password": password, "accounts": [account.plain() for account in accounts], "files": files}
    (folder / "known.json").write_text(json.dumps(told))
    _enroll(folder, accounts, rng)
    for way in ("udp", "tcp", "dns"):
        (folder / f"krb5-{way}.conf").write_text(kerberos(f"{HOST}.{ZONE}", way))


def missing(usr: Path) -> list[str]:
    """Return the packages of which the controller or its clients need a file that is not there."""
    return sorted(package for pattern, package in FILES.items() if not any(usr.glob(pattern)))


def kerberos(dc: str, way: str) -> str:
    """Return a Kerberos client's configuration, see `Domain.clients_config`."""
    named = "" if way == "dns" else f"kdc = {dc}\n"
    limit = 1 if way == "tcp" else 1465
    return KERBEROS.format(realm=REALM, zone=ZONE, dc=dc, kdc=named, limit=limit, lookup=str(way == "dns").lower())


def _provision(world: World, folder: Path, password: str) -> None:
    """Make the directory, the realm's keys, the zone and `sysvol`; then our own configuration over Samba's."""
    dc = world.host(HOST)
    for name in ("lock", "state", "cache", "pid", "ncalrpc", "winbindd", "team", "admin", "private", "ntp_signd"):
        (folder / name).mkdir(mode=0o755, exist_ok=True)
    (folder / "winbindd").chmod(0o755)
    config = folder / "smb.conf"
    settings = {"folder": folder, "realm": REALM, "short": SHORT, "zone": ZONE, "admin": ADMIN}
    text = CONFIG.format(serves=SERVES, forwarder=world.host("infra").v4, **settings)
    config.write_text(text)
    words = ["samba-tool", "domain", "provision", f"--configfile={config}", "--server-role=dc"]
    words += [f"--domain={SHORT}", f"--realm={REALM}", f"--host-name={HOST}", f"--host-ip={dc.v4}"]
    words += [f"--host-ip6={dc.v6}", f"--adminpass={password}", "--dns-backend=SAMBA_INTERNAL"]
    _call(words)
    config.write_text(text)


def _share(folder: Path, rng: random.Random) -> list[str]:
    """Fill the share `team` and return the names of its files."""
    files = catalogue(rng, 90)
    for name, size in files.items():
        path = folder / "team" / name
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as out:
            out.truncate(size)
    return sorted(files)


def _policies(folder: Path, rng: random.Random) -> None:
    """Fill the group policies and logon scripts with files as a controller has them."""
    place = folder / "state" / "sysvol" / ZONE
    for policy in sorted((place / "Policies").iterdir()):
        for name, size in POLICIES.items():
            path = policy / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_bytes(rng.randbytes(int(size * rng.lognormvariate(0.0, 0.5))))
    for name in ("logon.cmd", "drives.vbs", "printers.ps1"):
        (place / "scripts" / name).write_bytes(rng.randbytes(int(rng.lognormvariate(7.5, 0.7))))


def _enroll(folder: Path, accounts: Sequence[Account], rng: random.Random) -> None:
    """Write all accounts and groups into the directory's own files; nothing serves them yet."""
    told = folder / "accounts.ldif"
    told.write_text(ldif(accounts, ",".join(f"DC={part}" for part in ZONE.split(".")), rng))
    _call(["ldbmodify", f"--configfile={folder}/smb.conf", "-H", f"{folder}/private/sam.ldb", str(told)])


def _call(words: Sequence[str], env: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C", **(env or {})},
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-600:]
        raise NettrusionError(f"{Path(words[0]).name} {words[1]} failed for the domain: {said}")


def _commands(world: World) -> Sequence[Sequence[str]]:
    """Return the controller's command, with a /run/samba of its own: the file server would ask its winbind."""
    samba = f"samba --foreground --no-process-group -M prefork -s {world.folder(NAME)}/smb.conf"
    return [["unshare", "--mount", "sh", "-c", f"mount -t tmpfs tmpfs /run/samba && exec {samba}"]]


SERVICES = (
    Service(
        NAME,
        HOST,
        _furnish,
        _commands,
        {"samba": "samba-ad-dc", "samba-tool": "samba-common-bin", "winbindd": "winbind", "ldbmodify": "ldb-tools"},
        tcp=(53, 88, 135, 389, 445, 464, 3268),
        udp=(53, 88, 389, 464),
        logs=("log.samba",),
    ),
)
