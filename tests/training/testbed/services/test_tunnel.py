"""The far ends of the tunnels."""

import random
import stat
from pathlib import Path

import pytest

from training.testbed.network import build
from training.testbed.services import tunnel
from training.testbed.services.names import TUNNEL_ZONE
from training.testbed.world import World


def test_both_ends_serve_different_addresses_and_zones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(World, "folder", lambda self, name: tmp_path / name)
    world = build()
    (service,) = tunnel.SERVICES
    service.furnish(world, random.Random(1))
    config = (tmp_path / "tunnel" / "dns2tcpd.conf").read_text()
    iodined, dns2tcpd = service.commands(world)
    assert f"listen = {world.host('attacker').all_v4[1]}" in config and f"domain = {tunnel.SECOND_ZONE}" in config
    assert world.host("attacker").v4 in iodined and iodined[-1] == tunnel.ZONE == TUNNEL_ZONE
    # An input that ends would keep it busy for ever.
    assert stat.S_ISFIFO((tmp_path / "tunnel" / "input").stat().st_mode) and "0<>" in dns2tcpd[-1]
