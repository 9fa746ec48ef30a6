"""The network's own web server: pages, files, uploads, the staff's corner, and a target."""

import json
import random
from dataclasses import replace

from training.testbed.service import Service
from training.testbed.web import catalogue, certificates, files, nginx
from training.testbed.world import World

# The staff's page, a file that the server itself sends slowly, and lists of what lies there.
MORE = """\
    location /private/ {{ auth_basic "staff"; auth_basic_user_file {folder}/staff; }}
    location /drip/ {{ limit_rate 3k; alias {pages}/files/; }}
    location /files/ {{ autoindex on; }}
    location = /status {{ stub_status; }}
    client_header_timeout 40s; client_body_timeout 40s;
"""


def furnish(world: World, rng: random.Random) -> None:
    """Write pages, files, certificate and configuration; staff are `admin` and `guest`."""
    folder, name = world.folder("web"), world.name("web")
    site = catalogue.drawn(rng, name, pages=8)
    site = replace(site, http2=True, versions="both", redirect=False, keepalive_s=20, think_ms=0.0, limit_kb=0)
    site.sizes["/private/index.html"] = catalogue.size(rng, 4_000, 0.5, 1_000, 20_000)
    pages = folder / "pages" / name
    files.write(site, pages, rng)
    site.save(folder)
    certificates.authority(folder / "tls")
    certificate = certificates.issue(folder / "tls", [name, "www.home.test", "home.test"])
    staff = {user: world.passwords[user] for user in ("admin", "guest")}
    (folder / "staff").write_text("".join(f"{user}:{{PLAIN}}{password}\n" for user, password in staff.items()))
    (folder / "users.json").write_text(json.dumps(dict(world.passwords)))
    more = MORE.format(folder=folder, pages=pages)
    nginx.configure(folder, [nginx.server(site, folder, ("*", "[::]"), certificate, more)])


def commands(world: World) -> list[list[str]]:
    """Return nginx and the backend."""
    return nginx.commands(world.folder("web"), seed=1)


SERVICES = (
    Service(
        name="web",
        host="web",
        furnish=furnish,
        commands=commands,
        needs={"nginx": "nginx-light", "openssl": "openssl"},
        tcp=(80, 443),
        logs=("access.log",),
    ),
)
