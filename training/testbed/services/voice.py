"""Voice service: SIPp answers calls and sends back what it hears, packet by packet."""

import random
from collections.abc import Sequence

from training.testbed.service import Service
from training.testbed.world import World

SIP_PORT = 5060
MEDIA_PORT = 16_384


def _furnish(world: World, rng: random.Random) -> None:
    world.folder("voip").mkdir(parents=True, exist_ok=True)


def _commands(world: World) -> Sequence[Sequence[str]]:
    here = world.host("web").v4
    words = ["sipp", "-sn", "uas", "-i", here, "-mi", here, "-p", str(SIP_PORT), "-mp", str(MEDIA_PORT)]
    return [[*words, "-rtp_echo", "-nostdin", "-trace_err", "-error_file", f"{world.folder('voip')}/errors"]]


SERVICES = (Service("voip", "web", _furnish, _commands, {"sipp": "sip-tester"}, udp=(SIP_PORT, MEDIA_PORT)),)
