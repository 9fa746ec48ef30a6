"""The many name servers."""

from pathlib import Path
from random import Random

from tests.training.testbed.web.sites import Elsewhere
from training.testbed.services.zones import SERVICES, config, servers


def test_every_address_outside_but_the_first_is_a_name_server(tmp_path: Path):
    world = Elsewhere(tmp_path)
    text = config(world, Random(1))
    assert text == config(world, Random(1)) != config(world, Random(2))
    for address in servers(world):
        assert f"listen-address={address}\n" in text
    # The first one's is the provider's resolver.
    assert world.host("internet").v4 not in servers(world) and "no-resolv" in text and "server=" not in text


def test_it_starts_with_what_was_furnished(tmp_path: Path):
    world = Elsewhere(tmp_path)
    (service,) = SERVICES
    service.furnish(world, Random(1))
    (words,) = service.commands(world)
    assert Path(words[-1].removeprefix("--conf-file=")).is_file()
