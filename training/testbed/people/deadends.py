"""Devices that go on asking where nobody answers any more, and clients that try the wrong way first."""

from training.testbed.acts import Kind, Stage
from training.testbed.people.peers import Talk
from training.testbed.people.shell import pause_s
from training.testbed.services.cloud import MQTT, MQTTS
from training.testbed.web.curl import CURL, SETTINGS, into_nothing, visit
from training.testbed.world import Site

SERVICES = ("web", "sites", "dns", "updns")
TCP_PORTS = (80, 443, 443, 554, 1883, 5000, 5222, 7547, 8080, 8883, 9100, 32400)
UDP_PORTS = (53, 123, 161, 514, 1514, 3478, 5683, 6000, 10_001, 32_100)


def dead_service(stage: Stage) -> None:
    """Try a server that is off, or whose service is, again and again, on one port."""
    rng, world = stage.rng, stage.world
    off = rng.random() < 0.5
    outside = rng.random() < 0.7
    if off:
        where = rng.choice(world.gone)[0] if outside else world.silent
    else:
        where = rng.choice(world.host("internet").all_v4) if outside else world.spare
    port = rng.choice(TCP_PORTS if off else [port for port in TCP_PORTS if port not in (80, 443, MQTT, MQTTS)])
    wait_s = rng.choice((1, 2, 3, 5))
    every_s = rng.choice((0.2, 1.0, 2.0, 5.0))
    for _ in range(rng.randint(1, 3) if off else min(12, int(rng.paretovariate(0.9)))):
        stage.run("nc", "-z", "-w", str(wait_s), where, str(port), limit_s=10.0, ok=(0, 1))
        stage.pause(max(0.05, every_s * rng.gauss(1.0, 0.1)))


def dead_datagrams(stage: Stage) -> None:
    """Report by UDP to a collector that is gone, or whose port is closed, at a pace."""
    rng, world = stage.rng, stage.world
    talk = Talk(stage, ("0.0.0.0", rng.choice((0, 0, rng.randint(1_025, 60_000)))))
    for _ in range(rng.choice((1, 1, 2, 3))):
        closed = rng.choice((world.spare, world.host("store").v4, rng.choice(world.host("internet").all_v4)))
        where = closed if rng.random() < 0.3 else rng.choice((world.silent, *(one for one, _ in world.gone)))
        every_s = rng.choice((0.5, 1.0, 2.0, 5.0))
        size, length_s = int(min(1_200, rng.lognormvariate(4.5, 0.8))), rng.uniform(0.0, 12.0)
        talk.stream((where, rng.choice(UDP_PORTS)), rng.uniform(0.0, 1.0), length_s, every_s, size=size, sure=1)
    talk.run()


def eyeballs(stage: Stage) -> None:
    """Open pages of sites whose newer, or one older, address leads nowhere; the other is tried a moment later."""
    rng, world = stage.rng, stage.world
    seen = visit(stage, own=False, plain=False)
    site: Site = next(one for one in world.sites if one.name == seen.site.name)
    four, six = rng.choice(world.gone)
    way = rng.random()
    addresses = f"[{six}],{site.v4}" if way < 0.6 else f"{four},{site.v4}" if way < 0.8 else f"[{six}],{four},{site.v4}"
    words = [word for word in seen.words if word not in ("-4", "-6")]
    words += ["--resolve", f"{site.name}:443:{addresses}", "--happy-eyeballs-timeout-ms", rng.choice(("200", "250"))]
    paths = ["/", *(page.path for page in rng.sample(seen.site.pages, 1))]
    late = ["--connect-timeout", "6", "--max-time", "15"]
    stage.run(*words, *late, *into_nothing([f"https://{site.name}{path}" for path in paths]), ok=(0, 7, 28), limit_s=30)


def refused(stage: Stage) -> None:
    """Look whether devices of the house are there that are not: a speaker, a printer, a television."""
    rng, world = stage.rng, stage.world
    for _ in range(rng.randint(1, 5)):
        where = rng.choice((world.spare, world.host("camera").v4, world.host("store").v4, world.silent))
        port = rng.choice((515, 631, 1400, 7000, 8008, 8009, 8060, 9197, 55_443))
        stage.run("nc", "-z", "-w", "1", where, str(port), limit_s=8.0, ok=(0, 1))
        stage.pause(pause_s(stage, 0.3, 0.9, 3.0))


def burst(stage: Stage) -> None:
    """Read a page of an app that fetches all in pieces: very many short connections, each for one thing."""
    rng = stage.rng
    words = ["--http1.1", "-H", "Connection: close", "--parallel", "--parallel-immediate"]
    parallel = str(rng.choice((6, 12, 24, 40)))
    lot = min(140, 10 + int(rng.lognormvariate(3.1, 0.7)))
    per = rng.choice((2, 4, 8, 30))
    left, fetched = lot, []
    seen = visit(stage, own=False)
    while left > 0:
        few = min(left, per)
        sizes = [path for path in seen.site.files if seen.site.sizes[path] < 60_000] or list(seen.site.files[:1])
        paths = [rng.choice((*sizes, "/update.json", "/robots.txt", "/generate_204")) for _ in range(few)]
        again = [f"{seen.settled}{path}?{rng.getrandbits(32):x}" for path in paths]
        fetched += into_nothing(again)
        left -= few
        if not stage.host.extra and rng.random() < 0.7:
            other = rng.choice(stage.world.sites).name
            fetched += into_nothing([f"{seen.settled.partition(':')[0]}://{other}/update.json"])
    insecure = ["-k"]
    stage.run(*seen.words, *insecure, *words, "--parallel-max", parallel, *fetched, limit_s=45.0, ok=None)


NC = {"nc": "netcat-openbsd"}
KINDS = (
    Kind("dead-service", "benign", dead_service, NC, (), 7.0, 80.0),
    Kind("dead-datagrams", "benign", dead_datagrams, {}, (), 8.0, 50.0),
    Kind("happy-eyeballs", "benign", eyeballs, CURL, SERVICES, 3.0, 45.0, SETTINGS),
    Kind("absent-device", "benign", refused, NC, (), 3.0, 50.0),
    Kind("web-burst", "benign", burst, CURL, SERVICES, 4.0, 60.0, SETTINGS),
)
