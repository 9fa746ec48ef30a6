"""What people and their machines do on the recorded network when nobody attacks."""

import random
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from training.testbed.enclosure import RUN
from training.testbed.network import SERVER, SILENT, SPARE, Host
from training.testbed.programs import Intent, Programs, Reach, Run
from training.testbed.servers import FILES, PAGES, Secrets, content

NAMES = ("www", "mail", "files", "intranet", "wpad", "printer")
COMMANDS = ("ls -l\n", "uptime\n", "cat letter.txt | head -5\n", "df -h\n", "date\n", "ps\n")


@dataclass(slots=True)
class Person:
    """One host's user: draws from `rng` alone, acts until `until_s` (time.monotonic seconds)."""

    host: Host
    programs: Programs
    secrets: Secrets
    rng: random.Random
    pause_s: float
    until_s: float
    stop: threading.Event

    def left_s(self) -> float:
        """Return the seconds left before this person goes home."""
        return self.until_s - time.monotonic()

    def live(self, actions: Sequence[tuple[int, Callable[["Person"], Run]]]) -> None:
        """Do weighted actions with exponential pauses between them until it is time to go."""
        weights = [weight for weight, _ in actions]
        while not self.stop.wait(min(self.rng.expovariate(1 / self.pause_s), 4 * self.pause_s)):
            if self.left_s() < 0.5:
                return
            (_, action) = self.rng.choices(actions, weights)[0]
            action(self)

    def limit_s(self, most_s: float) -> float:
        """Return the time that an action may take: not much longer than the person stays."""
        return max(2.0, min(most_s, self.left_s() + 2.0))


def web(person: Person, options: Sequence[str], urls: Sequence[str], limit_s: float = 20.0) -> Run:
    """Fetch URLs with one curl (one connection as long as the server keeps it)."""
    ports = person.programs.own_ports(person.host, 8)
    words = ["curl", "-sk", "--max-time", str(limit_s), "--local-port", f"{ports[0]}-{ports[1]}"]
    words += ["--connect-timeout", "3", *options]
    for url in urls:
        words += ["-o", "/dev/null", url]
    address = SERVER.v6 if "[" in urls[0] else SERVER.v4
    targets = (address, SPARE, SILENT) if address == SERVER.v4 else (address,)
    source = person.host.v6 if address == SERVER.v6 else person.host.v4
    reach = Reach("tcp", targets, (80, 8080) if not urls[0].startswith("https") else (443, 443))
    return person.programs.run(
        Intent(
            person.host,
            "curl",
            words,
            reach,
            source=source,
            source_ports=ports,
            limit_s=person.limit_s(limit_s + 2.0),
        )
    )


def site(person: Person) -> str:
    """Return the server's base URL, over TLS in half of the visits and IPv6 in a fifth."""
    scheme = person.rng.choice(("http", "https"))
    host = f"[{SERVER.v6}]" if person.rng.random() < 0.2 else SERVER.v4
    return f"{scheme}://{host}"


def visit(person: Person) -> Run:
    """Read a page with what belongs to it, all at once."""
    base = site(person)
    pages = ["/", *person.rng.sample(sorted(PAGES), person.rng.randint(1, 5))]
    return web(person, [], [base + page for page in pages])


def read(person: Person) -> Run:
    """Read several pages with pauses to think, on one connection kept open."""
    base = site(person)
    rate = person.rng.choice((20, 30, 60))
    pages = person.rng.choices(["/", "/news", "/about"], k=person.rng.randint(2, 4))
    return web(person, ["--rate", f"{rate}/m"], [base + page for page in pages])


def download(person: Person) -> Run:
    """Fetch a file, now and then over a slow line."""
    slow = ["--limit-rate", "24k"] if person.rng.random() < 0.4 else []
    return web(person, slow, [site(person) + person.rng.choice(sorted(FILES))])


def trickle(person: Person) -> Run:
    """Fetch a file that the server itself sends slowly."""
    return web(person, [], [f"{site(person)}/drip/table.csv"], person.rng.uniform(5, 12))


def post(person: Person) -> Run:
    """Send a form or a file."""
    size = person.rng.choice((300, 2_000, 30_000))
    body = RUN / "root" / f"post-{person.host.name}-{threading.get_ident()}"
    body.write_bytes(content(person.rng, ".txt", size))
    return web(person, ["--data-binary", f"@{body}"], [f"{site(person)}/upload"])


def sign_in(person: Person) -> Run:
    """Open the staff page with the password, at times mistyped first or forgotten."""
    right = f"admin:{person.secrets.passwords['web']}"
    user = right if person.rng.random() < 0.7 else "admin:summer"
    return web(person, ["-u", user], [f"{site(person)}/private/index"])


def go_wrong(person: Person) -> Run:
    """Ask for what is not there: a page, a port, a host."""
    nowhere = (
        f"http://{SERVER.v4}/no-such-page",
        f"http://{SERVER.v4}:8080/",
        f"http://{SPARE}:8080/",
        f"http://{SILENT}/",
    )
    return web(person, [], [person.rng.choice(nowhere)], 4.0)


def look_up(person: Person) -> Run:
    """Resolve a name: known, unknown, foreign (refused), over TCP, or of a server that is none."""
    port, _ = person.programs.own_ports(person.host, 1)
    tcp = person.rng.random() < 0.1
    server = SPARE if not tcp and person.rng.random() < 0.08 else SERVER.v4
    domain = "home.test" if person.rng.random() < 0.9 else "example.test"
    kind = person.rng.choices(("A", "AAAA", "MX", "TXT", "SRV"), (6, 4, 1, 1, 1))[0]
    name = domain if kind in ("MX", "TXT") else f"{person.rng.choice(NAMES)}.{domain}"
    words = ["dig", f"@{server}", "-b", f"{person.host.v4}#{port}", "+time=2", "+tries=1"]
    words += ["+tcp"] if tcp else []
    return person.programs.run(
        Intent(
            person.host,
            "dig",
            [*words, name, kind],
            Reach("tcp" if tcp else "udp", (server,), (53, 53)),
            source_ports=(port, port),
            limit_s=5.0,
        )
    )


def knock(person: Person) -> Run:
    """Ping the server a few times."""
    mark, _ = person.programs.own_ports(person.host, 1)
    words = ["ping", "-q", "-n", "-e", str(mark), "-c", str(person.rng.randint(1, 4)), "-i", "0.5"]
    reach = Reach("icmp", (SERVER.v4,), (mark, mark))
    return person.programs.run(
        Intent(
            person.host,
            "ping",
            [*words, SERVER.v4],
            reach,
            source_ports=(mark, mark),
            limit_s=5.0,
        )
    )


def ssh_options(person: Person) -> list[str]:
    """Return what ssh and scp need to use our keys and touch no file of the machine."""
    options = ["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    return [*options, "-o", "LogLevel=ERROR", "-i", str(person.secrets.user_key)]


def shell(person: Person) -> Run:
    """Log in, type a few commands key by key, read the answers, leave."""
    lines = [*person.rng.choices(COMMANDS, k=person.rng.randint(1, 3)), "exit\n"]
    rhythm = random.Random(person.rng.random())

    def typist(program: "subprocess.Popen[bytes]") -> None:
        assert program.stdin is not None
        for line in lines:
            time.sleep(rhythm.uniform(0.4, 1.5))
            for key in line:
                time.sleep(rhythm.lognormvariate(-2.4, 0.5))
                if program.poll() is not None:
                    return
                program.stdin.write(key.encode())
                program.stdin.flush()

    words = ["ssh", "-tt", *ssh_options(person), f"ada@{SERVER.v4}"]
    reach = Reach("tcp", (SERVER.v4,), (22, 22))
    return person.programs.run(Intent(person.host, "ssh", words, reach, limit_s=person.limit_s(25.0), typist=typist))


def copy(person: Person) -> Run:
    """Copy a file to the server or back."""
    ours = RUN / "root" / f"copy-{person.host.name}"
    ours.write_bytes(content(person.rng, ".txt", person.rng.choice((2_000, 20_000, 60_000))))
    theirs = f"ada@{SERVER.v4}:letter.txt"
    pair = [theirs, str(ours)] if person.rng.random() < 0.5 else [str(ours), f"{theirs}.new"]
    words = ["scp", "-q", *ssh_options(person), *pair]
    reach = Reach("tcp", (SERVER.v4,), (22, 22))
    return person.programs.run(Intent(person.host, "scp", words, reach, limit_s=person.limit_s(15.0)))


def mistype(person: Person) -> Run:
    """Log in by password and mistype it the first time, as people do."""
    script = RUN / "root" / f"askpass-{person.host.name}"
    seen = script.with_suffix(".seen")
    seen.unlink(missing_ok=True)
    secret = person.secrets.passwords["ada"]
    script.write_text(f'#!/bin/sh\n[ -e {seen} ] && echo "{secret}" || {{ touch {seen}; sleep 1; echo oops; }}\n')
    script.chmod(0o700)
    words = ["ssh", *ssh_options(person)[:-2], "-o", "PubkeyAuthentication=no"]
    reach = Reach("tcp", (SERVER.v4,), (22, 22))
    return person.programs.run(
        Intent(
            person.host,
            "ssh",
            [*words, f"ada@{SERVER.v4}", "uptime"],
            reach,
            limit_s=person.limit_s(15.0),
            environment={"SSH_ASKPASS": str(script), "SSH_ASKPASS_REQUIRE": "force"},
        )
    )


SURFER = ((6, visit), (2, read), (2, download), (1, trickle), (2, post), (1, sign_in), (1, go_wrong))
RESOLVER = ((6, look_up), (1, knock))
ADMIN = ((3, shell), (2, copy), (1, mistype))
