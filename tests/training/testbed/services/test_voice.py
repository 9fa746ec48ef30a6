"""Where calls are taken."""

from tests.training.testbed.trade import WORLD
from training.testbed.services.voice import MEDIA_PORT, SERVICES, SIP_PORT


def test_calls_and_speech_are_taken_at_the_hosts_own_address():
    (service,) = SERVICES
    (words,) = service.commands(WORLD)
    assert service.udp == (SIP_PORT, MEDIA_PORT) and "-rtp_echo" in words
    assert words[words.index("-i") + 1] == words[words.index("-mi") + 1] == WORLD.host("web").v4
