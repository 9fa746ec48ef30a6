"""A resolver at work: very many questions to many name servers, some silent, some closed; and the time of many."""

from training.testbed.acts import Kind, Stage
from training.testbed.people.names import count
from training.testbed.services.zones import servers

TYPES = ("A", "A", "A", "AAAA", "AAAA", "NS", "DS", "MX", "TXT", "HTTPS", "PTR", "DNSKEY", "SOA", "SRV")


def _server(stage: Stage) -> str:
    """Return whom a question goes to: a few are asked most, one in ten is silent, one in thirty closed."""
    rng, world = stage.rng, stage.world
    what = rng.random()
    if what < stage.settings["silent_share"]:
        return rng.choice(world.gone)[0]
    if what < stage.settings["silent_share"] + 0.03:
        return rng.choice(world.host("bots").all_v4)
    many = servers(world)
    return rng.choices(many, [1 / (place + 1) ** 0.7 for place in range(len(many))])[0]


def _question(stage: Stage) -> str:
    rng = stage.rng
    name = f"z{rng.randrange(60)}.{rng.choice(('test', 'test', 'none.test'))}"
    depth = rng.choice((0, 1, 1, 1, 2))
    labels = [f"{rng.choice('abcdrwx')}{rng.getrandbits(rng.choice((8, 24, 48)))}" for _ in range(depth)]
    return f"{'.'.join([*labels, name])} {rng.choice(TYPES)}"


def bulk(stage: Stage) -> None:
    """Ask name servers outside for what clients want, a socket for each question, several at a time."""
    rng = stage.rng
    lines = []
    for place in range(rng.randint(2, 6)):
        file = stage.folder / f"asked-{place}"
        asked = [
            f"@{_server(stage)} {_question(stage)}" for _ in range(count(stage, stage.settings["median"], 0.5, 90))
        ]
        file.write_text("\n".join(asked) + "\n")
        plain = rng.choice(("+nodnssec +noedns", "+dnssec", "+bufsize=1232", "+nocookie +dnssec"))
        tries = f"+tries={rng.choice((1, 1, 2, 3))} +time={rng.choice((1, 1, 2))}"
        lines.append(f"dig +short +norecurse {plain} {tries} -f {file} >/dev/null &")
    stage.run("sh", "-c", "\n".join([*lines, "wait"]), limit_s=60.0, ok=None)


def flock_of_names(stage: Stage) -> None:
    """Ask one server for very many names from a few sockets, as a mail filter or a list checker does."""
    rng = stage.rng
    file = stage.folder / "names"
    asked = [_question(stage).split() for _ in range(count(stage, 150, 0.8, 900))]
    known = [f"{name} {kind}" for name, kind in asked if kind not in ("DS", "HTTPS")]
    file.write_text("\n".join(known or ["z1.test A"]) + "\n")
    words = ["-s", rng.choice(servers(stage.world)), "-d", str(file), "-c", str(rng.randint(1, 6)), "-n", "1"]
    words += ["-q", str(rng.randint(2, 40)), "-t", "2", "-Q", str(rng.randint(20, 400))]
    stage.run("dnsperf", *words, limit_s=50.0, ok=None)


def clocks(stage: Stage) -> None:
    """Ask many servers of the time, as a pool's members, of which some are gone."""
    rng, world = stage.rng, stage.world
    some = rng.sample(world.host("internet").all_v4, rng.randint(2, 9))
    some += [one for one, _ in rng.sample(world.gone, rng.choice((0, 1, 1, 3)))]
    rng.shuffle(some)
    if rng.random() < 0.5:
        sources = [f"server {one} {rng.choice(('iburst', '', ''))} maxsamples {rng.randint(1, 4)}" for one in some]
        quiet = ["-Q", "-u", "root", "-t", str(rng.randint(3, 9)), f"pidfile {stage.folder}/pid", "cmdport 0"]
        stage.run("chronyd", *quiet, *sources, limit_s=20, ok=(0, 1))
    else:
        stage.run("ntpdig", "-t", str(rng.randint(1, 3)), *some, limit_s=30, ok=(0, 1))


DIG = {"dig": "bind9-dnsutils"}
SHARE = {"median": 22, "silent_share": 0.1}
KINDS = (
    Kind("bulk-names", "benign", bulk, DIG, ("zones",), 6.0, 80.0, SHARE),
    Kind("bulk-names-one", "benign", flock_of_names, {"dnsperf": "dnsperf"}, ("zones",), 6.0, 70.0, SHARE),
    Kind("ntp-pool", "benign", clocks, {"chronyd": "chrony", "ntpdig": "ntpsec-ntpdig"}, ("ntp-out",), 6.0, 60.0),
)
