"""Browsers and apps over QUIC: one connection or many at once, mostly to port 443, some given up at once."""

import shlex

from training.testbed.acts import Kind, Stage
from training.testbed.services.cloud import QUIC_PORTS, SIZES_BYTES


def _client(stage: Stage, gone: float = 0.04) -> list[str]:
    """Return one client's words: a site, a few of its files, how patient it is."""
    rng, world = stage.rng, stage.world
    six = rng.random() < 0.2
    site = rng.choices(world.sites, [1 / place**0.6 for place in range(1, len(world.sites) + 1)])[0]
    where = site.v6 if six else site.v4
    if rng.random() < gone:
        where = rng.choice(world.gone)[six]
    port = rng.choices(QUIC_PORTS, (95, 5))[0]
    files = rng.choices(range(len(SIZES_BYTES)), (30, 30, 20, 12, 6, 2), k=min(12, int(rng.paretovariate(1.1))))
    words = ["gtlsclient", "-q", "--exit-on-all-streams-close", f"--handshake-timeout={rng.choice((2, 4, 8))}s"]
    words += [f"--timeout={rng.choice((2, 5, 10))}s", f"--sni={site.name}", f"--cc={rng.choice(('cubic', 'bbr'))}"]
    words += [f"--max-udp-payload-size={rng.choice((1200, 1252, 1350, 1472))}", "--no-quic-dump", "--no-http-dump"]
    if rng.random() < 0.3:
        words += [f"--delay-stream={rng.randint(50, 3000)}ms"]
    return [*words, where, str(port), *(f"https://{site.name}/{file}" for file in files)]


def visit(stage: Stage) -> None:
    """Fetch a few files over one connection."""
    stage.run(*_client(stage), limit_s=25.0, ok=None)


def burst(stage: Stage) -> None:
    """Open a page whose parts lie at many sites: a connection to each, nearly at once."""
    rng = stage.rng
    lines = []
    for _ in range(min(24, 2 + int(rng.lognormvariate(1.6, 0.6)))):
        lines.append(f"{shlex.join(_client(stage))} &")
        lines.append(f"sleep {rng.expovariate(1 / 0.05):.3f}")
    stage.run("sh", "-c", "\n".join([*lines, "wait"]), limit_s=40.0, ok=None)


def fallback(stage: Stage) -> None:
    """Try QUIC where there is none any more, and give up, a few times."""
    for _ in range(min(4, int(stage.rng.paretovariate(1.2)))):
        stage.run(*_client(stage, gone=0.85), limit_s=15.0, ok=None)


NEEDS = {"gtlsclient": "ngtcp2-client"}
KINDS = (
    Kind("quic-visit", "benign", visit, NEEDS, ("quic",), 2.0, 40.0),
    Kind("quic-burst", "benign", burst, NEEDS, ("quic",), 5.0, 60.0),
    Kind("quic-fallback", "benign", fallback, NEEDS, ("quic",), 6.0, 70.0),
)
