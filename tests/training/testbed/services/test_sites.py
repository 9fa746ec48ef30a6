"""The web sites outside."""

from typing import Any

from tests.training.testbed.bench import Bench
from training.testbed.services.sites import SERVICES
from training.testbed.web.catalogue import Site


def visited(bench: Bench) -> list[list[Any]]:
    """Fetch the first page of every site by name, over HTTPS; also what plain HTTP says."""
    bench.serve("names", "sites")
    world = bench.world
    words = ["curl", "-4sZ", "--cacert", f"{world.folder('sites')}/tls/root.pem"]
    words += ["-w", "%{url} %{http_code} %{http_version} %{remote_ip} %{size_download}\n"]
    for place in world.sites:
        for scheme in ("https", "http"):
            words += ["-o", "/dev/null", f"{scheme}://{place.name}/p0.html"]
    said = {line.split()[0]: line.split()[1:] for line in bench.run("desk", *words).stdout.splitlines()}
    sites = [Site.load(world.folder("sites"), place.name) for place in world.sites]
    return [
        [
            place.v4,
            site.sizes["/p0.html"],
            site.http2,
            site.redirect,
            said[f"https://{site.name}/p0.html"],
            said[f"http://{site.name}/p0.html"],
        ]
        for place, site in zip(world.sites, sites, strict=True)
    ]


def test_every_site_answers_at_its_own_address_in_its_own_way(in_world: Any):
    found = in_world(visited)
    assert len(found) == 24
    for address, size, http2, redirect, secure, plain in found:
        assert secure == ["200", "2" if http2 else "1.1", address, str(size)]
        assert plain[:3] == ["301" if redirect else "200", "1.1", address]


def test_the_service_says_what_it_needs():
    (service,) = SERVICES
    assert (service.host, service.tcp, service.logs) == ("internet", (80, 443), ("access.log",))
