"""Name lookups of people and programs: single ones, a browser's bursts, and those that go wrong."""

from collections.abc import Sequence

from training.testbed.acts import Kind, Stage
from training.testbed.services.names import ALIASES, PARTS, SERVERS_SRV
from training.testbed.world import DOMAIN

PREFETCH = """\
import socket, sys, threading
names = iter(sys.argv[2:])
def look_up():
    for name in names_left:
        try:
            socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)
        except OSError:
            pass
class Left:
    lock = threading.Lock()
    def __iter__(self):
        return self
    def __next__(self):
        with self.lock:
            return next(names)
names_left = Left()
crew = [threading.Thread(target=look_up) for _ in range(int(sys.argv[1]))]
for one in crew:
    one.start()
for one in crew:
    one.join()
"""
SEARCHED = ("corp", "intra", "lan", "office")
COMMON = ("wpad", "isatap", "proxy", "printer", "fileserver", "intranet", "autodiscover", "time", "sharepoint", "dc1")


def count(stage: Stage, median: float, sigma: float = 0.6, most: int = 80) -> int:
    """Return how many: lognormal around `median`, at least one, at most `most`."""
    return max(1, min(most, round(median * stage.rng.lognormvariate(0, sigma))))


def name(stage: Stage) -> str:
    """Return a name that exists: mostly one of a site outside, or of a subdomain nobody listed."""
    rng = stage.rng
    if rng.random() < 0.3:
        return f"{rng.choice((*stage.world.hosts, *ALIASES))}.{DOMAIN}"
    site = rng.choice(stage.world.sites).name
    if rng.random() < 0.5:
        return site
    zone = site.removeprefix("www.")
    part = rng.choice(PARTS)
    return f"{part}.{zone}" if rng.random() < 0.6 else f"{part}-{rng.getrandbits(rng.choice((16, 64))):x}.{zone}"


def question(stage: Stage) -> str:
    """Return one question as `dig` reads it: a name and what is asked of it."""
    rng = stage.rng
    kind = rng.choices(("A", "AAAA", "MX", "TXT", "SRV", "PTR", "HTTPS", "NS"), (50, 30, 4, 5, 3, 6, 6, 1))[0]
    if kind == "SRV":
        return f"{rng.choice(tuple(SERVERS_SRV))}.{DOMAIN} SRV"
    if kind == "PTR":
        address = rng.choice([*stage.world.hosts.values()]).v4
        return f"{'.'.join(reversed(address.split('.')))}.in-addr.arpa PTR"
    if kind in ("MX", "TXT"):
        return f"{rng.choice((DOMAIN, rng.choice(stage.world.sites).name.removeprefix('www.')))} {kind}"
    return f"{name(stage)} {kind}"


def dig(stage: Stage, questions: Sequence[str], *options: str, limit_s: float = 30.0) -> None:
    """Ask all questions with one dig, a socket for each; dig says 9 where no server answered."""
    batch = stage.folder / f"questions-{len(list(stage.folder.iterdir()))}"
    batch.write_text("\n".join(questions) + "\n")
    stage.run("dig", "+short", *options, "-f", str(batch), limit_s=limit_s, ok=(0, 9, 10))


def look_up(stage: Stage) -> None:
    """Ask for a few names, at times over TCP or IPv6, at times by what libc itself does."""
    rng = stage.rng
    way = rng.random()
    if way < 0.15:
        stage.run("getent", "ahosts", *(name(stage) for _ in range(count(stage, 3, most=12))), ok=(0, 2))
        return
    if way < 0.25:
        stage.run("host", "-W", "2", name(stage), ok=(0, 1))
        return
    questions = [question(stage) for _ in range(count(stage, stage.settings["median"]))]
    options = ["+time=2", "+tries=2"]
    if rng.random() < 0.06:
        options.append("+tcp")
    if rng.random() < 0.2:
        options.append(f"@{stage.world.host('infra').v6}")
    if rng.random() < 0.2:
        options += ["+dnssec", "+bufsize=1232"]
    dig(stage, questions, *options)


def prefetch(stage: Stage) -> None:
    """Ask for all names of a page at once, A and AAAA of each from one socket, as browsers do."""
    names = [name(stage) for _ in range(count(stage, stage.settings["median"], 0.4, 60))]
    stage.run("python3", "-I", "-S", "-c", PREFETCH, str(stage.rng.randint(6, 16)), *names)


def fail(stage: Stage) -> None:
    """Ask in vain: names that do not exist, servers that fail, are late, refuse, or say nothing."""
    rng, world = stage.rng, stage.world
    way = rng.choices(("search", "failure", "late", "lost", "silent", "refused"), (50, 14, 16, 4, 6, 10))[0]
    few = count(stage, 2, most=4)
    if way == "search":
        words = [rng.choice(COMMON) for _ in range(count(stage, 8, most=30))]
        suffix = rng.choice((DOMAIN, f"{rng.choice(SEARCHED)}.{DOMAIN}", "home.lan", f"{rng.choice(SEARCHED)}.test"))
        dig(stage, [f"{word}.{suffix} {kind}" for word in words for kind in ("A", "AAAA")], "+tries=1", "+time=2")
    elif way == "failure":
        dig(stage, [f"mx{rng.randint(1, 5)}.broken.test A" for _ in range(few)], "+tries=2", "+time=2")
    elif way == "late":
        waits = (min(3_000, int(rng.lognormvariate(5.8, 0.8))) for _ in range(count(stage, 4, most=10)))
        dig(stage, [f"d{wait}.slow.test A" for wait in waits], "+tries=2", "+time=4")
    elif way == "lost":
        dig(stage, [f"w{rng.getrandbits(20):x}.lost.test A"], "+tries=2", "+time=3")
    else:
        server = world.silent if way == "silent" else world.spare
        questions = [f"{name(stage)} A" for _ in range(1 if way == "silent" else few)]
        dig(stage, questions, f"@{server}", f"+tries={rng.randint(1, 3)}", f"+time={rng.randint(1, 3)}")


DIG = {"dig": "bind9-dnsutils"}
KINDS = (
    Kind(
        "dns-lookup",
        "benign",
        look_up,
        {**DIG, "getent": "libc-bin", "host": "bind9-host"},
        ("dns", "updns"),
        lasts_s=0.8,
        settings={"median": 7},
    ),
    Kind(
        "dns-prefetch",
        "benign",
        prefetch,
        {"python3": "python3-minimal"},
        ("dns", "updns"),
        lasts_s=0.6,
        settings={"median": 28},
    ),
    Kind("dns-failures", "benign", fail, DIG, ("dns", "updns"), lasts_s=2.5),
)
