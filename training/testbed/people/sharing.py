"""People who share files: many peers are asked, few are there, a file comes in pieces from several at once."""

from training.testbed.acts import Kind, Stage
from training.testbed.services.peers import PORTS
from training.testbed.services.torrent import SIZES_BYTES, TABLE_PORTS, files


def fetch(stage: Stage) -> None:
    """Fetch a file from whoever has it, look for more peers by all means meanwhile, and stay for a moment."""
    rng, world = stage.rng, stage.world
    port, table = rng.randint(20_000, 60_000), rng.randint(20_000, 60_000)
    wanted = rng.choices(files(world), [1 / size**0.5 for size in SIZES_BYTES])[0]
    entries = [(world.host("bots").v4, rng.choice(TABLE_PORTS)), (rng.choice(world.gone)[0], rng.choice(PORTS))]
    words = ["aria2c", "-q", f"--listen-port={port}", f"--dht-listen-port={table}", "--enable-dht=true"]
    words += [f"--dht-entry-point={address}:{there}" for address, there in entries[: rng.choice((1, 1, 2))]]
    words += [
        f"--dht-file-path={stage.folder}/dht",
        f"--dir={stage.folder}",
        "--disable-ipv6",
        "--file-allocation=none",
    ]
    words += [f"--bt-max-peers={rng.choice((10, 20, 55))}", f"--bt-stop-timeout={rng.randint(6, 14)}"]
    words += ["--bt-enable-lpd=true"] if rng.random() < 0.4 else []
    words += [f"--max-overall-download-limit={rng.choice((100, 200, 400, 1_000, 2_000))}K"]
    words += (
        ["--seed-time=0"] if rng.random() < 0.6 else [f"--seed-time={rng.uniform(0.02, 0.2):.2f}", "--seed-ratio=9"]
    )
    words += [f"--bt-min-crypto-level={rng.choice(('plain', 'arc4'))}"]
    stage.run(*words, str(wanted), limit_s=min(40.0, rng.uniform(15.0, 60.0)), ok=None)


KINDS = (Kind("torrent", "benign", fetch, {"aria2c": "aria2"}, ("torrent", "torrent-seeds"), 14.0, 60.0),)
