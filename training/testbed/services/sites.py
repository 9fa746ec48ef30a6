"""The web sites outside: one nginx with an address, pages and habits of its own for each."""

import random

from training.testbed.service import Service
from training.testbed.web import catalogue, certificates, files, nginx
from training.testbed.world import World


def furnish(world: World, rng: random.Random) -> None:
    """Write the pages and certificates of every site and the configuration of them all."""
    folder = world.folder("sites")
    certificates.authority(folder / "tls")
    servers = []
    for place, site in zip(world.sites, catalogue.web_of(rng, [site.name for site in world.sites]), strict=True):
        files.write(site, folder / "pages" / site.name, rng)
        site.save(folder)
        names = certificates.other_names(rng, site.name, site.names)
        certificate = certificates.issue(folder / "tls", names, rsa=site.rsa)
        servers.append(nginx.server(site, folder, (place.v4, f"[{place.v6}]"), certificate))
    (folder / "users.json").write_text("{}")
    nginx.configure(folder, servers)


def commands(world: World) -> list[list[str]]:
    """Return nginx and the backend."""
    return nginx.commands(world.folder("sites"), seed=2)


SERVICES = (
    Service(
        name="sites",
        host="internet",
        furnish=furnish,
        commands=commands,
        needs={"nginx": "nginx-light", "openssl": "openssl"},
        tcp=(80, 443),
        logs=("access.log",),
    ),
)
