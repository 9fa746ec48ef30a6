"""What the servers serve and where they write."""

import random
import re

from training.testbed.enclosure import RUN
from training.testbed.servers import DNSMASQ, NGINX, SSHD, content


def test_content_has_its_size_and_repeats_with_the_seed():
    for suffix in (".txt", ".jpg", ""):
        made = [content(random.Random(2), suffix, 5_003) for _ in range(2)]
        assert made[0] == made[1]
        assert len(made[0]) == 5_003
    assert content(random.Random(2), ".txt", 5_003) != content(random.Random(3), ".txt", 5_003)


def test_every_path_that_a_server_is_given_lies_in_the_recordings_own_folder():
    for config in (NGINX, SSHD):
        paths = re.findall(r"(?<![\w:/}])/[a-z][\w/.-]+", config.format(run=RUN))
        own = [path for path in paths if path.startswith(str(RUN))]
        locations = ("/private/", "/drip/", "/upload", "/html", "/css", "/png", "/jpeg", "/plain")
        assert own
        assert not [path for path in paths if path not in own and path not in locations]
    assert "--conf-file=/dev/null" in DNSMASQ and "--no-resolv" in DNSMASQ
