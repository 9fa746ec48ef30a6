"""What goes wrong every day: pages and ports that are not there, silence, broken transfers, wrong settings."""

from training.testbed.acts import Kind, Stage
from training.testbed.web.curl import CURL, SETTINGS, authority, into_nothing, load, source, visit

SERVICES = ("web", "sites", "dns", "updns")
CLOSED = (81, 515, 631, 1883, 3000, 8008, 8080, 8081, 8888, 9090, 9100)
UNKNOWN = ("wpad.home.test", "printr.home.test", "www.site99.test", "nas.home.test", "time.old-office.test")
REFUSED, NO_NAME, LATE, NO_TLS, UNTRUSTED = 7, 6, 28, 35, 60
"""curl's exit codes."""


def errors(stage: Stage) -> None:
    """Ask for pages that are gone, not allowed, or broken."""
    rng, seen = stage.rng, visit(stage)
    paths = ("/favicon.ico", "/old/index.php", "/error", "/robots.txt", "/p77.html", "/apple-touch-icon.png", "/video/")
    asked = rng.sample(paths, rng.randint(1, 4))
    stage.run(*seen.words, *seen.objects(asked))


def closed(stage: Stage) -> None:
    """Try a service that does not run where it is thought to, once or twice."""
    rng, world = stage.rng, stage.world
    hosts = [world.name("web"), world.name("store"), world.name("infra"), world.spare]
    urls = [f"http://{rng.choice(hosts)}:{rng.choice(CLOSED)}/" for _ in range(rng.randint(1, 2))]
    stage.run(*_curl(stage), *into_nothing(urls), ok=(REFUSED,))


def silent(stage: Stage) -> None:
    """Wait for a host that is switched off: the first packet, and again, and again."""
    patience_s = min(stage.rng.lognormvariate(1.0, 0.6), 15.0)
    port = stage.rng.choice((80, 443, 8080, 9100))
    words = ["--connect-timeout", f"{patience_s:.1f}", *into_nothing([f"http://{stage.world.silent}:{port}/"])]
    stage.run("curl", "-sS", *words, ok=(LATE,))


def unknown(stage: Stage) -> None:
    """Ask for names that nobody has."""
    names = [*UNKNOWN, f"{stage.rng.getrandbits(48):012x}.test"]
    urls = [f"http://{name}/" for name in stage.rng.sample(names, stage.rng.randint(1, 3))]
    stage.run(*_curl(stage), *into_nothing(urls), ok=(NO_NAME,))


def aborted(stage: Stage) -> None:
    """Leave in the middle of a transfer."""
    seen = visit(stage, like=lambda site: site.sizes[site.files[-1]] > 500_000)
    path = stage.rng.choice(seen.site.files[-4:])
    until_s = stage.rng.uniform(0.3, 2.5)
    rate_kb = max(seen.site.sizes[path] / until_s / 2500, 20)
    words = ["--limit-rate", f"{rate_kb:.0f}k", "--max-time", f"{until_s:.2f}"]
    stage.run(*seen.words, *words, *into_nothing([f"{seen.settled}{path}"]), ok=(0, LATE))


def retrying(stage: Stage) -> None:
    """A badly set up client: every second again, at a closed port, or with a password that has changed."""
    rng = stage.rng
    if rng.random() < 0.5:
        words = ["--retry", str(rng.randint(4, 12)), "--retry-delay", "1", "--retry-connrefused"]
        url = f"http://{rng.choice((stage.world.spare, stage.world.name('web')))}:{rng.choice(CLOSED)}/sync"
        stage.run(*_curl(stage), *words, *into_nothing([url]), ok=(REFUSED,), limit_s=40.0)
        return
    seen = visit(stage, own=True, machine=True)
    words = ["-u", "admin:old-password", "-H", "Connection: close", "--http1.1", "--rate", f"{rng.randint(40, 90)}/m"]
    tries = [f"/private/index.html?{place}" for place in range(rng.randint(3, 8))]
    stage.run(*seen.words, *words, *seen.objects(tries), limit_s=40.0)


def no_tls(stage: Stage) -> None:
    """Fail at TLS: no version in common, a certificate that is not trusted, or HTTP where TLS is."""
    rng, world = stage.rng, stage.world
    way = rng.choice(("version", "version", "trust", "plain", "tls"))
    only = {site: load(world, site.name) for site in world.sites} if stage.host.side != "outside" else {}
    strict = [site for site in only.values() if site.versions != "both"]
    if way == "version" and strict:
        site = rng.choice(strict)
        limit = ["--tls-max", "1.2"] if site.versions == "1.3" else ["--tlsv1.3"]
        stage.run(*_curl(stage), "--cacert", str(authority(world, site)), *limit, f"https://{site.name}/", ok=(NO_TLS,))
        return
    seen = visit(stage, plain=False)
    if way == "plain":
        stage.run(*_curl(stage), *into_nothing([f"http://{seen.site.name}:443/"]))
    elif way == "tls":
        stage.run(*_curl(stage), f"https://{seen.site.name}:80/", ok=(NO_TLS,))
    else:
        stage.run(*_curl(stage), "--capath", "/nonexistent", f"https://{seen.site.name}/", ok=(UNTRUSTED,))


def _curl(stage: Stage) -> list[str]:
    """Return a plain curl that gives up after a while."""
    six = stage.rng.random() < 0.1
    return ["curl", "-sS", "--connect-timeout", "6", *(source(stage, six) if stage.host.extra and not six else [])]


KINDS = (
    Kind("web-errors", "benign", errors, CURL, SERVICES, lasts_s=0.5, settings=SETTINGS),
    Kind("closed-port", "benign", closed, CURL, ("web", "dns"), lasts_s=0.2, settings=SETTINGS),
    Kind("silent-host", "benign", silent, CURL, ("web",), lasts_s=4.0, settings=SETTINGS),
    Kind("unknown-name", "benign", unknown, CURL, ("dns", "updns"), lasts_s=0.3, settings=SETTINGS),
    Kind("transfer-aborted", "benign", aborted, CURL, SERVICES, lasts_s=2.0, settings=SETTINGS),
    Kind("retrying-client", "benign", retrying, CURL, ("web", "dns"), lasts_s=8.0, settings=SETTINGS),
    Kind("tls-failure", "benign", no_tls, CURL, SERVICES, lasts_s=0.3, settings=SETTINGS),
)
