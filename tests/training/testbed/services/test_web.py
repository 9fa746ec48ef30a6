"""The network's own web server."""

import shutil
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.training.testbed.bench import Bench
from tests.training.testbed.web.sites import Elsewhere
from training.testbed.services.web import SERVICES, furnish


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_nginx_takes_what_is_furnished(tmp_path: Path):
    world = Elsewhere(tmp_path)
    (tmp_path / "web").mkdir()
    furnish(world, Random(1))
    words = ["nginx", "-t", "-c", str(tmp_path / "web" / "nginx.conf")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    staff = (tmp_path / "web" / "staff").read_text()
    assert staff == "".join(f"{user}:{{PLAIN}}{world.passwords[user]}\n" for user in ("admin", "guest"))


def asked(bench: Bench) -> dict[str, str]:
    """Ask the real server for a bit of everything."""
    bench.serve("names", "web")
    world, answers = bench.world, {}
    curl = ["curl", "-4s", "--cacert", f"{world.folder('web')}/tls/root.pem", "-o", "/dev/null"]
    curl += ["-w", "%{http_code} %{http_version} %{size_download}"]
    for name, words in {
        "page": ["https://web.home.test/p1.html"],
        "first page": ["http://web.home.test/"],
        "old": ["--http1.1", "--tls-max", "1.2", "https://web.home.test/p1.html"],
        "closed": ["http://web.home.test/private/index.html"],
        "open": ["-u", f"guest:{world.passwords['guest']}", "http://web.home.test/private/index.html"],
        "wrong": ["-u", "guest:no", "http://web.home.test/private/index.html"],
        "sign-in": ["-d", f"user=ada&password={world.passwords['ada']}", "https://web.home.test/login"],
        "search": ["https://web.home.test/search?q=cable"],
        "stored": ["-T", "/etc/services", "https://web.home.test/upload/1"],
        "too slow": ["-m", "1", "http://web.home.test/drip/11.bin"],
        "status": ["http://web.home.test/status"],
    }.items():
        answers[name] = bench.run("desk", *curl, *words).stdout
    answers["log"] = (world.folder("web") / "access.log").read_text()
    answers["sizes"] = str((world.folder("web") / "pages" / "web.home.test" / "p1.html").stat().st_size)
    return answers


def test_the_server_does_all_that_it_should(in_world: Any):
    answers = in_world(asked)
    status = {name: answer.split()[0] for name, answer in answers.items() if name not in ("log", "sizes")}
    assert status == {
        "page": "200",
        "first page": "200",
        "old": "200",
        "closed": "401",
        "open": "200",
        "wrong": "401",
        "sign-in": "302",
        "search": "200",
        "stored": "201",
        "too slow": "200",
        "status": "200",
    }
    assert answers["page"].split()[1:] == ["2", answers["sizes"]] and answers["old"].split()[1] == "1.1"
    assert int(answers["too slow"].split()[2]) < 10_000
    # The second witness: time, address, port, the server's port, status, agent.
    moment, address, port, own, code, _ = answers["log"].splitlines()[0].split(" ", 5)
    assert (address, own, code) == ("10.77.1.10", "443", "200") and int(port) > 1024 and float(moment) > 0


def test_the_service_says_what_it_needs():
    (service,) = SERVICES
    assert (service.host, service.tcp, service.logs) == ("web", (80, 443), ("access.log",))
