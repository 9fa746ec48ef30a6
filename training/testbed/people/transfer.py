"""Files to and fro: downloads, broken and resumed ones, slow ones, uploads, video in segments."""

from training.testbed.acts import Kind, Stage
from training.testbed.web.catalogue import QUALITIES, Site
from training.testbed.web.curl import CURL, SETTINGS, PageTurns, into_nothing, visit

SERVICES = ("web", "sites", "dns", "updns")
LIMITS = {**SETTINGS, "most_kb": 20_000}
"""`most_kb`: the largest file that is asked for, in kB."""


def download(stage: Stage) -> None:
    """Fetch a file, at times as one of several things that a slow line carries."""
    seen = visit(stage)
    slow = ["--limit-rate", f"{stage.rng.randint(60, 900)}k"] if stage.rng.random() < 0.15 else []
    stage.run(
        *seen.words, "-L", *slow, "--max-time", "40", *into_nothing([seen.url(_file(stage, seen.site))]), ok=(0, 28)
    )


def resumed(stage: Stage) -> None:
    """Fetch a file whose transfer breaks off, and fetch the rest of it later."""
    seen = visit(stage, like=lambda site: site.sizes[site.files[-1]] > 400_000)
    path = stage.rng.choice(seen.site.files[-4:])
    there = ["-L", "-o", str(stage.folder / "part"), f"{seen.settled}{path}"]
    until_s = stage.rng.uniform(0.4, 2.0)
    rate_kb = max(seen.site.sizes[path] / until_s / 3000, 20)
    stage.run(*seen.words, "--limit-rate", f"{rate_kb:.0f}k", "--max-time", f"{until_s:.2f}", *there, ok=(0, 28))
    stage.pause(stage.rng.lognormvariate(0.5, 0.7))
    stage.run(*seen.words, "-C", "-", "--max-time", "30", *there, ok=(0, 28))


def drip(stage: Stage) -> None:
    """Fetch a file that the server itself sends slowly, and lose patience."""
    seen = visit(stage, own=True)
    patience = f"{stage.rng.uniform(4.0, 14.0):.1f}"
    path = stage.rng.choice(seen.site.files).replace("/files/", "/drip/")
    stage.run(*seen.words, "--max-time", patience, *into_nothing([seen.url(path)]), ok=(28,))


def upload(stage: Stage) -> None:
    """Send files: a form with one, or several by PUT, as a synchronising program does."""
    rng = stage.rng
    by_form = rng.random() < 0.5
    seen = visit(stage, machine=not by_form)
    words = []
    for place in range(1 if by_form else min(1 + int(rng.expovariate(0.8)), 6)):
        file = stage.folder / f"file{place}"
        with file.open("wb") as out:
            out.truncate(min(int(40_000 * rng.lognormvariate(0.0, 1.7)) + 200, 8_000_000))
        words += ["-F", f"file=@{file}"] if by_form else ["-T", str(file)]
        words += into_nothing([f"{seen.settled}/upload/{place}"])
    stage.run(*seen.words, "--max-time", "40", "-H", "Expect:", *words, limit_s=45.0)


def video(stage: Stage) -> None:
    """Watch a video: a few segments at once, then one every few seconds; the quality follows the line."""
    rng, seen = stage.rng, visit(stage, plain=False, own=False)
    turns, words, pauses_s = PageTurns(stage.folder), list(seen.words), []
    quality = rng.randrange(len(QUALITIES))
    buffered = rng.randint(1, 3)
    every_s = rng.choice((1.5, 2.0, 2.0, 3.0))
    count = rng.randint(buffered + 2, 8)
    for place in range(count):
        if place >= buffered:
            words += turns.next()
            pauses_s.append(max(every_s * rng.gauss(1.0, 0.08), 0.2))
        quality = min(max(quality + rng.choice((-1, 0, 0, 0, 1)), 0), len(QUALITIES) - 1)
        words += into_nothing([seen.url(seen.site.segments(quality)[place])])
    player = stage.start(*words, limit_s=58.0, ok=(0,))
    turns.turn(stage, pauses_s)
    player.wait()


def _file(stage: Stage, site: Site) -> str:
    """Draw a file that one waits for: not above `most_kb`, nor for more than half a minute."""
    most = min(stage.settings["most_kb"], 25 * (site.limit_kb or 1_000_000)) * 1000
    return stage.rng.choice([path for path in site.files if site.sizes[path] <= most] or site.files[:1])


KINDS = (
    Kind("download", "benign", download, CURL, SERVICES, lasts_s=2.0, settings=LIMITS),
    Kind("download-resumed", "benign", resumed, CURL, SERVICES, lasts_s=5.0, settings=SETTINGS),
    Kind("download-slow", "benign", drip, CURL, ("web", "dns"), lasts_s=9.0, settings=SETTINGS),
    Kind("upload", "benign", upload, CURL, SERVICES, lasts_s=2.0, settings=SETTINGS),
    Kind("video", "benign", video, CURL, SERVICES, lasts_s=14.0, limit_s=75.0, settings=SETTINGS),
)
