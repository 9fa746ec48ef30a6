"""Programs that ask over and over: APIs, long polls, streams of events, chats, checks for updates."""

import sys

from training.testbed.acts import Kind, Stage
from training.testbed.enclosure import SOURCE_TREE
from training.testbed.web.curl import CURL, SETTINGS, PageTurns, authority, into_nothing, visit

SERVICES = ("web", "sites", "dns", "updns")
CALLS = ("users", "status", "items", "orders", "events", "metrics", "session")


def api(stage: Stage) -> None:
    """Call an API a few times on one connection, as fast as it goes or at a pace; at times post too."""
    rng, seen = stage.rng, visit(stage, machine=True)
    paths = [f"/api/v1/{rng.choice(CALLS)}/{rng.getrandbits(16)}" for _ in range(min(int(rng.paretovariate(0.8)), 30))]
    pace = ["--rate", f"{rng.randint(40, 400)}/m"] if len(paths) < 10 and rng.random() < 0.5 else []
    words = [*seen.words, *pace, *seen.objects(paths)]
    if rng.random() < 0.3:
        body = "{" + "x" * min(int(rng.lognormvariate(5.5, 1.0)), 20_000) + "}"
        words += ["--next", *seen.words[1:], "-H", "Content-Type: application/json", "--data", body]
        words += into_nothing([f"{seen.settled}/api/v1/{rng.choice(CALLS)}"])
    stage.run(*words)


def poll(stage: Stage) -> None:
    """Wait for news by requests that the server answers late, one after the other on one connection."""
    rng, seen = stage.rng, visit(stage, plain=False)
    waits_s = [min(rng.expovariate(1 / 6.0), 20.0) for _ in range(rng.randint(1, 4))]
    stage.run(*seen.words, *seen.objects([f"/poll?wait={wait_s:.2f}" for wait_s in waits_s]), limit_s=90.0)


def events(stage: Stage) -> None:
    """Listen to a stream of events, and leave before it ends in half of the cases."""
    rng, seen = stage.rng, visit(stage, plain=False)
    every_s, count = rng.lognormvariate(-0.5, 0.7), rng.randint(5, 40)
    patience_s = min(every_s * count * rng.uniform(0.5, 2.5), 40.0)
    words = ["-N", "-H", "Accept: text/event-stream", "--max-time", f"{patience_s:.1f}"]
    url = f"{seen.settled}/events?every={every_s:.2f}&count={count}"
    stage.run(*seen.words, *words, *into_nothing([url]), limit_s=50.0, ok=(0, 28))


def chat(stage: Stage) -> None:
    """Chat over a WebSocket: type, read what others write, type again, leave."""
    rng, seen = stage.rng, visit(stage)
    plain = seen.settled.startswith("http:")
    where = [seen.site.name, "80" if plain else "443", "-" if plain else str(authority(stage.world, seen.site))]
    python = [sys.executable, "-S", "-m", "training.testbed.web.talk"]
    room = stage.start(*python, *where, env={"PYTHONPATH": str(SOURCE_TREE)}, limit_s=80.0, ok=(0,))
    stage.pause(rng.lognormvariate(0.6, 0.4))
    for _ in range(min(1 + int(rng.expovariate(0.3)), 10)):
        room.say("x" * min(int(rng.lognormvariate(3.6, 0.8)) + 1, 2_000) + "\n")
        stage.pause(min(rng.lognormvariate(0.6, 0.8), 8.0))
    room.wait()


def captive(stage: Stage) -> None:
    """Ask whether the way out is free, as a device does that joins a network."""
    seen = visit(stage, plain=True, own=False, machine=True)
    stage.run(*seen.words, *into_nothing([seen.url("/generate_204")]))


def update(stage: Stage) -> None:
    """Ask a few makers whether there is anything new."""
    seen = visit(stage, own=False, plain=False, machine=True)
    count = min(int(stage.rng.paretovariate(1.2)), 6)
    more = [site.name for site in stage.rng.sample(stage.world.sites, count - 1)]
    others = [] if stage.host.side == "outside" else [(name, "/update.json") for name in more]
    stage.run(*seen.words, "-f", *seen.objects(["/update.json"], others))


def beat(stage: Stage) -> None:
    """Report to a service every few seconds, each time on a new connection: a meter, an agent."""
    rng, seen = stage.rng, visit(stage, machine=True)
    turns, count = PageTurns(stage.folder), rng.randint(3, 8)
    every_s = rng.uniform(0.8, 3.0)
    words = [
        *seen.words,
        "-H",
        "Connection: close",
        "--http1.1",
        "--data",
        f"v={rng.getrandbits(rng.choice((32, 600)))}",
    ]
    for place in range(count):
        words += into_nothing([f"{seen.settled}/api/v1/metrics"])
        words += turns.next() if place < count - 1 else []
    agent = stage.start(*words, limit_s=50.0, ok=(0,))
    turns.turn(stage, [max(every_s * rng.gauss(1.0, 0.03), 0.1) for _ in range(count - 1)])
    agent.wait()


def idle(stage: Stage) -> None:
    """Keep a connection open with nothing to say, until either side has had enough of it."""
    rng, seen = stage.rng, visit(stage, machine=stage.rng.random() < 0.5)
    turns, pauses_s = PageTurns(stage.folder), []
    # The kernel asks now and then whether the other end is still there.
    words = [*seen.words, "--keepalive-time", str(rng.randint(1, 12))]
    for _ in range(rng.randint(1, 2)):
        words += [*into_nothing([f"{seen.settled}/update.json"]), *turns.next()]
        pauses_s.append(min(rng.lognormvariate(2.5, 0.8), 60.0))
    words += into_nothing([f"{seen.settled}/update.json"]) if rng.random() < 0.5 else []
    client = stage.start(*words, limit_s=150.0, ok=(0,))
    turns.turn(stage, pauses_s)
    client.wait()


KINDS = (
    Kind("web-api", "benign", api, CURL, SERVICES, lasts_s=2.0, settings=SETTINGS),
    Kind("long-poll", "benign", poll, CURL, SERVICES, lasts_s=12.0, limit_s=95.0, settings=SETTINGS),
    Kind("sse-stream", "benign", events, CURL, SERVICES, lasts_s=12.0, settings=SETTINGS),
    Kind("websocket-chat", "benign", chat, {}, SERVICES, lasts_s=10.0, limit_s=90.0, settings=SETTINGS),
    Kind("captive-check", "benign", captive, CURL, SERVICES, lasts_s=0.3, settings=SETTINGS),
    Kind("update-check", "benign", update, CURL, SERVICES, lasts_s=0.5, settings=SETTINGS),
    Kind("heartbeat", "benign", beat, CURL, SERVICES, lasts_s=10.0, settings=SETTINGS),
    Kind("idle-keepalive", "benign", idle, CURL, SERVICES, lasts_s=22.0, limit_s=160.0, settings=SETTINGS),
)
