"""What devices and browsers have in the cloud: a message broker, and sites over QUIC."""

import random
from collections.abc import Sequence
from pathlib import Path

from training.testbed.service import Service
from training.testbed.web import certificates
from training.testbed.world import World

MQTT, MQTTS = 1883, 8883
QUIC_PORTS = (443, 8443)
SIZES_BYTES = (300, 2_000, 9_000, 40_000, 150_000, 900_000)
"""The files that every site has over QUIC, `/0` to `/5`."""
BROKER = """\
listener {plain}
listener {tls}
certfile {chain}
keyfile {key}
allow_anonymous true
user root
max_keepalive 600
log_dest file {folder}/log
persistence false
"""


def _furnish_broker(world: World, rng: random.Random) -> None:
    folder = world.folder("broker")
    folder.mkdir(parents=True, exist_ok=True)
    certificates.authority(folder / "tls")
    chain, key = certificates.issue(folder / "tls", [broker(world)])
    text = BROKER.format(plain=MQTT, tls=MQTTS, chain=chain, key=key, folder=folder)
    (folder / "mosquitto.conf").write_text(text)


def broker(world: World) -> str:
    """Return the name under which devices look for their broker."""
    return world.name("internet")


def authority(world: World) -> Path:
    """Return the certificate that devices trust."""
    return world.folder("broker") / "tls" / "root.pem"


def _broker(world: World) -> Sequence[Sequence[str]]:
    return [["mosquitto", "-c", f"{world.folder('broker')}/mosquitto.conf"]]


def _furnish_quic(world: World, rng: random.Random) -> None:
    folder = world.folder("quic")
    (folder / "pages").mkdir(parents=True, exist_ok=True)
    certificates.authority(folder / "tls")
    certificates.issue(folder / "tls", ["quic"])
    for place, size in enumerate(SIZES_BYTES):
        (folder / "pages" / str(place)).write_bytes(rng.randbytes(int(size * rng.uniform(0.7, 1.4))))


def _quic(world: World) -> Sequence[Sequence[str]]:
    folder = world.folder("quic")
    words = ["gtlsserver", "-q", "--timeout=30s", "-d", f"{folder}/pages", "*"]
    files = [f"{folder}/tls/ec.key", f"{folder}/tls/quic.pem"]
    return [[*words, str(port), *files] for port in QUIC_PORTS]


OPENSSL = {"openssl": "openssl"}
SERVICES = (
    Service("broker", "internet", _furnish_broker, _broker, {"mosquitto": "mosquitto", **OPENSSL}, tcp=(MQTT, MQTTS)),
    Service("quic", "internet", _furnish_quic, _quic, {"gtlsserver": "ngtcp2-server", **OPENSSL}, udp=QUIC_PORTS),
)
