"""The broker and the sites over QUIC."""

import random
import shutil
from pathlib import Path

import pytest

from tests.training.testbed.web.sites import Elsewhere
from training.testbed.services.cloud import MQTT, MQTTS, QUIC_PORTS, SERVICES, SIZES_BYTES, authority, broker

BROKER, QUIC = SERVICES

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is missing")


def test_the_broker_has_a_certificate_that_devices_trust(tmp_path: Path):
    world = Elsewhere(tmp_path)
    BROKER.furnish(world, random.Random(1))
    text = (tmp_path / "broker" / "mosquitto.conf").read_text()
    for port in (MQTT, MQTTS):
        assert f"listener {port}\n" in text
    assert authority(world).is_file() and (tmp_path / "broker" / "tls" / f"{broker(world)}.pem").is_file()
    # Nobody needs a password, and nothing is kept.
    assert "allow_anonymous true" in text and "persistence false" in text


def test_every_port_serves_the_same_files(tmp_path: Path):
    world = Elsewhere(tmp_path)
    QUIC.furnish(world, random.Random(1))
    sizes = [(tmp_path / "quic" / "pages" / str(place)).stat().st_size for place in range(len(SIZES_BYTES))]
    assert sizes == sorted(sizes)
    commands = QUIC.commands(world)
    assert [int(words[-3]) for words in commands] == list(QUIC_PORTS) == list(QUIC.udp)
    assert all(Path(word).is_file() for words in commands for word in words[-2:])
