"""People at a browser: pages with their objects, visits with pauses to read, search, signing in."""

from training.testbed.acts import Kind, Stage
from training.testbed.web.curl import CURL, PARALLEL, SETTINGS, PageTurns, into_nothing, visit

SERVICES = ("web", "sites", "dns", "updns")
CHROMIUM = (
    "chromium-headless-shell",
    "--no-sandbox",
    "--no-zygote",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-crash-reporter",
    "--no-first-run",
    "--ignore-certificate-errors",
    "--timeout=15000",
)


def page(stage: Stage) -> None:
    """Read one page over HTTP/1.1, its objects over up to six connections."""
    seen = visit(stage)
    page = stage.rng.choice(seen.site.pages)
    first = into_nothing([seen.url(page.path)])
    rest = seen.objects(page.own, page.foreign)
    parallel = ["--http1.1", "--parallel", "--parallel-max", str(PARALLEL)]
    if stage.rng.random() < 0.5 and not seen.site.redirect:
        stage.run(*seen.words, *parallel, *first, *rest)
        return
    stage.run(*seen.words, "--http1.1", "-L", *first)
    stage.run(*seen.words, *parallel, *rest)


def page_h2(stage: Stage) -> None:
    """Read one page over HTTP/2, everything of a site as streams of one connection."""
    seen = visit(stage, plain=False, like=lambda site: site.http2)
    page = stage.rng.choice(seen.site.pages)
    words = [*seen.words, "--http2", "--parallel", "--parallel-max", str(stage.rng.choice((20, 50, 100)))]
    stage.run(*words, *into_nothing([seen.url(page.path)]), *seen.objects(page.own, page.foreign))


def session(stage: Stage) -> None:
    """Read a few pages of a site, with pauses between them, on a connection that is kept."""
    seen = visit(stage)
    turns, words = PageTurns(stage.folder), [*seen.words, "-L"]
    words += ["--http1.1"] if stage.rng.random() < 0.5 else []
    count = min(2 + int(stage.rng.expovariate(0.7)), 6)
    pauses_s = [min(stage.rng.lognormvariate(1.5, 0.9), 25.0) for _ in range(count - 1)]
    for place in range(count):
        page = stage.rng.choice(seen.site.pages)
        # What a browser has in its cache it does not ask for again.
        own = page.own if place == 0 else page.own[len(page.own) // 2 :]
        words += into_nothing([f"{seen.settled}{page.path}" if place else seen.url(page.path)])
        words += seen.objects(own)
        words += turns.next() if place < count - 1 else []
    browser = stage.start(*words, limit_s=170.0, ok=(0,))
    turns.turn(stage, pauses_s)
    browser.wait()


def browser(stage: Stage) -> None:
    """Render a page, with what it takes from other sites, in a real browser with a new profile."""
    seen = visit(stage)
    page = stage.rng.choice(seen.site.pages)
    words = [*CHROMIUM, f"--user-data-dir={stage.folder}", "--dump-dom"]
    stage.run(*words, seen.url(page.path), env={"HOME": str(stage.folder)}, limit_s=40.0)


def search(stage: Stage) -> None:
    """Look for something on the network's own site, and refine it."""
    seen = visit(stage, own=True)
    words = ("minutes", "cable", "canteen", "o'brien", "printer", "invoices 2024", "plan", "50% off", "holiday")
    turns, asked = PageTurns(stage.folder), [*seen.words, "-G"]
    count = stage.rng.randint(1, 4)
    for place in range(count):
        asked += ["--data-urlencode", f"q={stage.rng.choice(words)}", "-o", "/dev/null", seen.url("/search")]
        if place < count - 1:
            asked += ["--next", *turns.next(), "--next", *seen.words[1:], "-G"]
    browser = stage.start(*asked, limit_s=40.0, ok=(0,))
    turns.turn(stage, [stage.rng.lognormvariate(0.5, 0.6) for _ in range(count - 1)])
    browser.wait()


def login(stage: Stage) -> None:
    """Sign in by the form or open the staff's page, now and then with a mistyped password first."""
    rng, seen = stage.rng, visit(stage, own=True)
    if rng.random() < 0.4:
        user = rng.choice(("admin", "admin", "guest"))
        password = stage.world.passwords[user]
        tries = [password] if rng.random() < 0.7 else [password[1:], password]
        for place, tried in enumerate(tries):
            if place:
                stage.pause(rng.lognormvariate(1.0, 0.5))
            stage.run(*seen.words, "-u", f"{user}:{tried}", *into_nothing([seen.url("/private/index.html")]))
        return
    user = rng.choice(("ada", "ben", "cleo", "guest"))
    password = stage.world.passwords[user]
    tries = [password] if rng.random() < 0.7 else [password.upper(), password]
    turns, words = PageTurns(stage.folder), [*seen.words, *into_nothing([seen.url("/login")])]
    for tried in tries:
        words += [*turns.next(), "--next", *seen.words[1:]]
        words += ["--data-urlencode", f"user={user}", "--data-urlencode", f"password={tried}"]
        words += into_nothing([seen.url("/login")])
    words += ["--next", *seen.words[1:], *into_nothing([seen.url("/p1.html")])]
    browser = stage.start(*words, limit_s=40.0, ok=(0,))
    turns.turn(stage, [rng.lognormvariate(1.0, 0.5) for _ in tries])
    browser.wait()


KINDS = (
    Kind("web-page", "benign", page, CURL, SERVICES, lasts_s=1.5, settings=SETTINGS),
    Kind("web-page-h2", "benign", page_h2, CURL, SERVICES, lasts_s=1.0, settings=SETTINGS),
    Kind("web-visit", "benign", session, CURL, SERVICES, lasts_s=17.0, limit_s=180.0, settings=SETTINGS),
    Kind(
        "web-browser",
        "benign",
        browser,
        {CHROMIUM[0]: CHROMIUM[0]},
        SERVICES,
        lasts_s=6.0,
        settings=SETTINGS,
    ),
    Kind("web-search", "benign", search, CURL, ("web", "dns"), lasts_s=4.0, settings=SETTINGS),
    Kind("web-login", "benign", login, CURL, ("web", "dns"), lasts_s=5.0, settings=SETTINGS),
)
