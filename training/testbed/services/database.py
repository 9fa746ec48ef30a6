"""Database service: a PostgreSQL cluster made for one recording, with the orders of a small shop."""

import os
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sensor.errors import NettrusionError
from training.testbed.service import Service
from training.testbed.web.certificates import authority, issue
from training.testbed.world import USERS, World

# initdb refuses to work for root; the server has no name of its own here.
AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
NOBODY = 65_534
PROGRAMS = Path("/usr/lib/postgresql")
DATABASE = "shop"
ROWS = 4_000

CONFIG = """\
listen_addresses = '*'
unix_socket_directories = ''
ssl = on
ssl_cert_file = '{chain}'
ssl_key_file = '{key}'
log_connections = on
log_line_prefix = '%m %r %u '
logging_collector = off
fsync = off
max_connections = 120
shared_buffers = 32MB
max_parallel_workers = 0
max_worker_processes = 1
autovacuum = off
"""
ACCESS = "host all all all scram-sha-256\n"
TABLES = """\
create table customers (id int primary key, name text, city text, note text);
insert into customers select i, md5(i::text || '{salt}'), (array['Ulm','Kiel','Bonn','Hof'])[1 + i % 4],
  repeat(md5(i::text), 1 + i % 7) from generate_series(1, {rows}) i;
create table orders (id int primary key, customer int, placed timestamp, total numeric(9,2), state text);
insert into orders select i, 1 + (i * 7919) % {rows}, timestamp '2026-01-01' + i * interval '11 minutes',
  (i * 37 % 90000) / 100.0, (array['open','paid','sent'])[1 + i % 3] from generate_series(1, {rows} * 3) i;
create index on orders (customer);
create table visits (at timestamp default now(), page text);
"""


def programs() -> Path:
    """Return the folder of the newest PostgreSQL that is installed; where Debian 12 has it if none is."""
    there = sorted(PROGRAMS.glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    return there[-1].parent if there else PROGRAMS / "15" / "bin"


def grants(world: World) -> str:
    """Return the SQL that lets all people of the network in, with their own passwords."""
    lines = []
    for user in USERS:
        lines.append(f"create role {user} login password '{world.passwords[user]}';")
        lines.append(f"grant all on all tables in schema public to {user};")
    return "\n".join(lines) + "\n"


def _furnish(world: World, rng: random.Random) -> None:
    folder = world.folder("postgres")
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    authority(folder / "keys")
    chain, key = issue(folder / "keys", [world.name("store")])
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    key.chmod(0o600)
    data = folder / "data"
    _as_nobody("initdb", "-D", str(data), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "-N")
    with (data / "postgresql.conf").open("a") as config:
        config.write(CONFIG.format(chain=chain, key=key))
    (data / "pg_hba.conf").write_text(ACCESS)
    _single(data, "postgres", f"create database {DATABASE};\n")
    _single(data, DATABASE, TABLES.format(salt=rng.getrandbits(32), rows=ROWS) + grants(world))


def _single(data: Path, database: str, text: str) -> None:
    # Standing alone, the server takes one statement a line.
    lines = "".join(statement.replace("\n", " ").strip() + ";\n" for statement in text.split(";")[:-1])
    _as_nobody("postgres", "--single", "-D", str(data), "-c", "exit_on_error=on", database, text=lines)


def _as_nobody(program: str, *words: str, text: str = "") -> None:
    done = subprocess.run(
        [*AS_NOBODY, str(programs() / program), *words], input=text, capture_output=True, text=True, cwd="/"
    )
    if done.returncode:
        raise NettrusionError(f"{program} failed: {(done.stderr or done.stdout).strip()[-500:]}")


def _commands(world: World) -> Sequence[Sequence[str]]:
    return [[*AS_NOBODY, str(programs() / "postgres"), "-D", str(world.folder("postgres") / "data")]]


SERVICES = (
    Service(
        "postgres",
        "store",
        _furnish,
        _commands,
        {str(programs() / "postgres"): "postgresql-15", "setpriv": "util-linux", "openssl": "openssl"},
        tcp=(5432,),
    ),
)
