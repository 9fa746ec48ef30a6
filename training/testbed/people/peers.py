"""People who talk with other people's machines directly: calls, games, shared files, and the search for a way.

Who is behind which address is not known before: many candidates never answer, some refuse, some
answer late. All of an act comes from one port of one program, as with calls and games.
"""

import json
import sys
from dataclasses import dataclass, field

from training.testbed.acts import Kind, Stage
from training.testbed.datagrams import TAKEN, Ask, Plan, Stream
from training.testbed.enclosure import SOURCE_TREE
from training.testbed.services.peers import PORTS, STUN_PORT

Place = tuple[str, int]


@dataclass(slots=True)
class Talk:
    """What one program is going to say, drawn bit by bit; see `datagrams.Plan`."""

    stage: Stage
    local: Place = ("0.0.0.0", 0)
    asks: list[Ask] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    until_s: float = 0.0

    def ask(self, to: Place, at_s: float, size: int = 20, again: int = 0) -> None:
        """Ask somebody at a time."""
        self.asks.append(Ask(at_s=at_s, to=to, size=size, again=again))
        self.until_s = max(self.until_s, at_s + (1.0, 1.5, 2.5, 4.5, 8.5)[again])

    def stream(self, to: Place, at_s: float, length_s: float, every_s: float, **more: float) -> None:
        """Send to somebody at a pace for a time; `more`: size, jitter, burst, back, back_size, sure."""
        burst = int(more.get("burst", 1))
        count = max(1, round(length_s / every_s)) * burst
        flow = Stream(
            at_s=at_s,
            to=to,
            size=int(more.get("size", 160)),
            every_s=every_s,
            jitter=more.get("jitter", 0.08),
            count=count,
            burst=burst,
            back=int(more.get("back", 1)),
            back_size=int(more.get("back_size", 160)),
            sure=bool(more.get("sure", 0)),
        )
        self.streams.append(flow)
        self.until_s = max(self.until_s, at_s + length_s + 0.5)

    def words(self, name: str = "plan", linger_s: float = 0.0) -> list[str]:
        """Write the plan down and return the program that plays it."""
        most_s = self.until_s + linger_s
        plan = Plan(
            local=self.local,
            until_s=most_s,
            seed=str(self.stage.rng.getrandbits(48)),
            asks=self.asks,
            streams=self.streams,
        )
        file = self.stage.folder / f"{name}.json"
        file.write_text(json.dumps(plan))
        return [sys.executable, "-S", "-m", "training.testbed.datagrams", "talk", str(file)]

    def run(self) -> None:
        """Play it to its end."""
        self.stage.run(*self.words(), env=PATH, limit_s=self.until_s + 20.0, ok=(0, TAKEN))


PATH = {"PYTHONPATH": str(SOURCE_TREE)}


def peer(stage: Stage, gone: float = 0.3, closed: float = 0.12, six: bool = False) -> Place:
    """Return where a peer may be: one that is there, one that has gone, one whose port is closed."""
    rng, world = stage.rng, stage.world
    what = rng.random()
    if what < gone:
        return rng.choice(world.gone)[six], rng.randint(1025, 65_000)
    homes = () if six else world.host("bots").all_v4
    outside = world.host("internet").all_v6 if six else world.host("internet").all_v4
    where = rng.choice(homes if homes and rng.random() < 0.5 else outside[1:])
    return where, rng.randint(1025, 65_000) if what < gone + closed else rng.choice(PORTS)


def stun(stage: Stage, talk: Talk, six: bool = False) -> None:
    """Ask a few servers how one looks from outside, all at once, each again while it is silent."""
    rng, host = stage.rng, stage.world.host("internet")
    for where in rng.sample((host.all_v6 if six else host.all_v4)[1:], rng.randint(1, 5)):
        talk.ask((where, rng.choice((STUN_PORT, 3478))), rng.uniform(0.0, 0.1), rng.choice((20, 20, 28)), 2)


def call(stage: Stage) -> None:
    """Call somebody without a telephone company: find the ways, try them all, talk on one, keep the others warm."""
    rng, settings = stage.rng, stage.settings
    six = rng.random() < 0.12
    talk = Talk(stage, ("::" if six else "0.0.0.0", rng.choice((0, rng.randint(16_384, 65_000)))))
    stun(stage, talk, six)
    ways = [peer(stage, six=six) for _ in range(min(14, 2 + int(rng.lognormvariate(1.0, 0.6))))]
    for place, way in enumerate(ways):
        talk.ask(way, 0.3 + 0.05 * place, rng.choice((76, 84, 100, 108)), rng.randint(1, 3))
    length_s = min(float(settings["longest_s"]), 3.0 + rng.lognormvariate(1.6, 0.8))
    for way in rng.sample(ways, rng.choice((1, 1, 1, 2))):
        at_s = rng.uniform(0.8, 1.6)
        voice = rng.choice(((0.02, 120, 1), (0.02, 172, 1), (0.06, 90, 1), (0.033, 1_050, 3)))
        every_s, size, burst = voice
        talk.stream(way, at_s, length_s, every_s, size=size, burst=burst, back=1, back_size=rng.choice((size, 120)))
    talk.run()


def relayed(stage: Stage) -> None:
    """Talk through a relay, both ways, as calls do that find no direct one; or only ask how one looks from outside."""
    rng, relay = stage.rng, stage.world.host("internet").v4
    if rng.random() < 0.35:
        stage.run("turnutils_stunclient", relay, limit_s=10, ok=None)
        return
    words = ["-n", str(int(min(900, rng.lognormvariate(5.3, 0.7)))), "-z", str(rng.choice((10, 20, 20, 30, 40)))]
    words += ["-m", str(rng.randint(1, 2)), "-l", str(rng.choice((80, 172, 172, 600, 1_100))), "-y"]
    words += ["-c"] if rng.random() < 0.7 else []
    words += ["-t"] if rng.random() < 0.2 else []
    words += ["-s"] if rng.random() < 0.3 else []
    stage.run("turnutils_uclient", *words, relay, limit_s=45, ok=None)


def game(stage: Stage) -> None:
    """Look for players (pings to many, few answers), then play with one server or with some of them."""
    rng, settings = stage.rng, stage.settings
    talk = Talk(stage, ("0.0.0.0", rng.choice((3074, 0, 0, rng.randint(20_000, 60_000)))))
    if rng.random() < 0.6:
        stun(stage, talk)
    some = [peer(stage, gone=0.35) for _ in range(min(60, 4 + int(rng.lognormvariate(2.3, 0.8))))]
    for place, one in enumerate(some):
        talk.ask(one, 0.2 + place * rng.uniform(0.01, 0.12), rng.choice((28, 36, 48, 64)), rng.choice((0, 1, 1, 2)))
    length_s = min(float(settings["longest_s"]), 4.0 + rng.lognormvariate(1.8, 0.7))
    for one in rng.sample(some, min(len(some), rng.choice((1, 1, 1, 3, 6)))):
        every_s = rng.choice((0.016, 0.033, 0.033, 0.05, 0.1))
        size, back = int(rng.lognormvariate(4.3, 0.4)), int(rng.lognormvariate(5.2, 0.5))
        talk.stream(one, rng.uniform(1.5, 3.5), length_s, every_s, size=size, back_size=min(back, 1_300))
    talk.run()


def gossip(stage: Stage) -> None:
    """Ask very many peers who else is there, as a distributed table does; most say nothing, some ask back."""
    rng, host = stage.rng, stage.host
    # By its address, so that those who ask back find it; a port that acts share would hear another one's late.
    port = rng.randint(10_000, 60_000)
    talk = Talk(stage, (host.v4, port))
    at_s = 0.0
    for _ in range(min(220, 12 + int(rng.lognormvariate(3.7, 0.7)))):
        at_s += rng.expovariate(1 / 0.06)
        talk.ask(peer(stage, gone=0.42, closed=0.1), at_s, rng.choice((92, 104, 108, 148)), rng.choice((0, 0, 0, 1)))
    back = Talk(stage, (rng.choice(stage.world.host("bots").all_v4), 0))
    for _ in range(rng.randint(1, 12)):
        back.ask((host.v4, port), rng.uniform(0.5, at_s + 1.0), rng.choice((92, 104)), rng.choice((0, 1)))
    homes = stage.start(*back.words("back"), env=PATH, at="bots", limit_s=at_s + 25.0)
    talk.run()
    if rng.random() < 0.6:
        homes.wait()


KINDS = (
    Kind("peer-call", "benign", call, {}, ("peers", "peers-bots"), 11.0, 70.0, {"longest_s": 25.0}),
    Kind(
        "relayed-call",
        "benign",
        relayed,
        {"turnutils_uclient": "coturn", "turnutils_stunclient": "coturn"},
        ("relay",),
        6.0,
        60.0,
    ),
    Kind("game", "benign", game, {}, ("peers", "peers-bots"), 13.0, 70.0, {"longest_s": 25.0}),
    Kind("peer-gossip", "benign", gossip, {}, ("peers", "peers-bots"), 6.0, 60.0),
)
