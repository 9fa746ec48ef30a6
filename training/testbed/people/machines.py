"""What machines ask each other: the time, SNMP, whether all is well, and what they report."""

from training.testbed.acts import Kind, Stage
from training.testbed.people.shell import pause_s

PLUGINS = "/usr/lib/nagios/plugins"
SYSTEM, INTERFACES = "1.3.6.1.2.1.1", "1.3.6.1.2.1.2.2"
OBJECTS = ("1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.1.5.0", "1.3.6.1.2.1.2.1.0", "1.3.6.1.2.1.25.1.1.0")
COUNTERS = tuple(f"{INTERFACES}.1.{column}.{row}" for column in (10, 11, 16, 17) for row in (1, 2))
SAYINGS = (
    "session opened for user {who}",
    "Started Daily apt download activities.",
    "link is up, 1000 Mbps full duplex",
    "connection from {number} closed",
    "(root) CMD (run-parts /etc/cron.hourly)",
    "dhcp lease of {number} renewed",
    "temperature {number} above threshold, cpu clock throttled",
)


def time_server(stage: Stage) -> str:
    """Return the name or address of a server of the time: the house's, or one outside."""
    if stage.rng.random() < 0.5:
        return stage.world.name("infra")
    return stage.rng.choice(stage.world.host("internet").all_v4)


def ask_time(stage: Stage) -> None:
    """Ask for the time and leave the clock as it is: once, or a few times in a row."""
    rng = stage.rng
    way, where = rng.choices(("chronyd", "check", "ntpdig"), (4, 5, 1))[0], time_server(stage)
    if way == "chronyd":
        source = f"server {where} {rng.choice(('iburst', ''))} maxsamples {rng.randint(1, 4)}"
        stage.run(
            "chronyd", "-Q", "-u", "root", "-t", "4", f"pidfile {stage.folder}/pid", "cmdport 0", source, ok=(0, 1)
        )
    elif way == "check":
        stage.run(f"{PLUGINS}/check_ntp_time", "-H", where, "-t", "4", "-w", "60", "-c", "120", ok=None)
    else:
        stage.run("ntpdig", "-t", "3", "-p", str(rng.choice((1, 1, 4))), where, ok=(0, 1))


def poll(stage: Stage) -> None:
    """Read a server's counters over SNMP; now and then with the wrong community, or of one that is off."""
    rng, world = stage.rng, stage.world
    way = rng.choices(("get", "walk", "bulk", "silent", "stranger"), (45, 20, 25, 4, 6))[0]
    host = rng.choice(("infra", "web"))
    where = world.name(host) if rng.random() < 0.7 else world.host(host).v4
    base = ["-v", rng.choice(("1", "2c")) if way != "bulk" else "2c", "-On", "-t", "1", "-r", str(rng.randint(1, 2))]
    public = [*base, "-c", "public", where]
    if way == "get":
        for _ in range(min(5, int(rng.paretovariate(1.5)))):
            stage.run("snmpget", *public, *rng.sample((*OBJECTS, *COUNTERS), rng.randint(1, 8)), ok=(0, 2))
            stage.pause(pause_s(stage, 0.4, 0.8, 3.0))
    elif way == "walk":
        stage.run("snmpwalk", *public, SYSTEM, ok=None)
    elif way == "bulk":
        stage.run("snmpbulkwalk", f"-Cr{rng.choice((5, 10, 25))}", *public, INTERFACES, ok=None)
    elif way == "silent":
        stage.run("snmpget", *base, "-c", "public", world.silent, OBJECTS[0], ok=(1,))
    else:
        stage.run("snmpget", *base, "-c", "private", where, OBJECTS[0], ok=(1,))


def check(stage: Stage) -> None:
    """Look after the servers, one plugin after the other, as a monitoring host does every few minutes."""
    rng, world = stage.rng, stage.world
    web, infra, store = world.name("web"), world.name("infra"), world.name("store")
    site = rng.choice(world.sites).name
    round_of_checks = [
        ["check_http", "-H", web, "-u", "/"],
        ["check_http", "-H", web, "--ssl", "--sni", "-u", "/"],
        ["check_http", "-H", store, "-u", "/"],
        ["check_http", "-H", site],
        ["check_tcp", "-H", web, "-p", "443"],
        ["check_tcp", "-H", infra, "-p", "53"],
        ["check_tcp", "-H", store, "-p", "5432"],
        ["check_tcp", "-H", store, "-p", "9418"],
        ["check_tcp", "-H", world.spare, "-p", "8080"],
        ["check_ftp", "-H", web, "-e", "220"],
        ["check_smtp", "-H", infra],
        ["check_imap", "-H", infra],
        ["check_ssh", store],
        ["check_ssh", web],
        ["check_ntp_time", "-H", infra],
    ]
    # Not check_ping: plugins start other programs in an empty environment, where nobody logs their sockets.
    rng.shuffle(round_of_checks)
    for plugin, *words in round_of_checks[: rng.randint(4, len(round_of_checks))]:
        # What it finds is what it is for: any exit code is an answer.
        stage.run(f"{PLUGINS}/{plugin}", *words, "-t", "5", limit_s=8, ok=None)
        stage.pause(pause_s(stage, 0.1, 0.8, 1.0))


def ping(stage: Stage) -> None:
    """Ping a host a few times, or one that is not there."""
    rng, world = stage.rng, stage.world
    where = rng.choices((world.name(rng.choice(("web", "infra", "store"))), world.silent), (9, 1))[0]
    if rng.random() < 0.4:
        where = rng.choice(world.sites).name
    few = min(15, 1 + int(rng.expovariate(0.25)))
    words = ["-c", str(few), "-i", rng.choice(("1", "1", "0.5", "0.2")), "-s", rng.choice(("56", "56", "32", "1000"))]
    stage.run("ping", "-n", "-W", "2", *words, where, limit_s=25, ok=(0, 1, 2))


def trace(stage: Stage) -> None:
    """Trace the way to a host: a datagram to a port where nothing listens, from further away each time."""
    rng, world = stage.rng, stage.world
    where = rng.choice((rng.choice(world.sites).name, world.name("store"), world.silent))
    stage.run("traceroute", "-n", "-m", "4", "-w", "1", "-q", str(rng.randint(1, 3)), where, limit_s=25, ok=None)


def report(stage: Stage) -> None:
    """Send a few lines to the log collector."""
    rng = stage.rng
    infra = stage.world.name("infra")
    for _ in range(min(4, int(rng.paretovariate(1.5)))):
        lines = []
        for _ in range(min(20, int(rng.paretovariate(0.9)))):
            lines.append(rng.choice(SAYINGS).format(who=rng.choice(("ada", "ben")), number=rng.randint(10, 99_999)))
        words = ["logger", "-n", infra, "-P", "514", "-d", "-t", rng.choice(("cron", "sshd", "kernel", "systemd"))]
        stage.run(*words, *rng.choice((["--rfc3164"], ["--rfc5424"])), stdin=("\n".join(lines) + "\n").encode())
        stage.pause(pause_s(stage, 0.8, 0.8, 4.0))


def print_out(stage: Stage) -> None:
    """Send a print job to the printer's raw port."""
    job = stage.folder / "job"
    job.write_bytes(stage.rng.randbytes(min(3_000_000, int(stage.rng.lognormvariate(11.8, 1.2)))))
    stage.run("sh", "-c", f"exec nc -N -w 5 {stage.world.name('infra')} 9100 < {job}", limit_s=20)


PLUGIN = {f"{PLUGINS}/check_http": "monitoring-plugins-basic"}
TIME = {"chronyd": "chrony", "ntpdig": "ntpsec-ntpdig", f"{PLUGINS}/check_ntp_time": "monitoring-plugins-basic"}
SNMP = {"snmpget": "snmp", "snmpwalk": "snmp", "snmpbulkwalk": "snmp"}
KINDS = (
    Kind("ntp-poll", "benign", ask_time, TIME, ("ntp", "ntp-out"), lasts_s=3),
    Kind("snmp-poll", "benign", poll, SNMP, ("snmp", "snmp-web"), lasts_s=1),
    Kind("check", "benign", check, PLUGIN, ("dns",), lasts_s=6),
    Kind("ping", "benign", ping, {"ping": "iputils-ping"}, lasts_s=3),
    Kind("traceroute", "benign", trace, {"traceroute": "traceroute"}, lasts_s=2),
    Kind("syslog", "benign", report, {"logger": "bsdutils"}, ("syslog",), lasts_s=2),
    Kind("print-job", "benign", print_out, {"nc": "netcat-openbsd"}, ("printer",), lasts_s=0.5),
)
