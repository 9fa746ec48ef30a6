"""File shares: looking around, fetching and putting files, a share that stays open."""

from training.testbed.acts import Kind, Running, Stage
from training.testbed.services.files import FOLDERS, listed

SERVER = "store"
PEOPLE = ("ada", "ben", "cleo", "guest")


def _client(stage: Stage, share: str = "office", password: str = "") -> list[str]:
    """Return the words of an smbclient with the access of somebody of the house."""
    user = stage.rng.choice(PEOPLE)
    access = stage.folder / "access"
    access.write_text(f"username = {user}\npassword = {password or stage.world.passwords[user]}\ndomain = HOME\n")
    protocol = stage.rng.choice(("SMB2", "SMB3", "SMB3"))
    return ["smbclient", f"//{stage.world.name(SERVER)}/{share}", "-A", str(access), "-m", protocol]


def _open(stage: Stage, limit_s: float, share: str = "office") -> Running:
    rng = stage.rng
    if rng.random() < stage.settings["mistyped"]:
        stage.run(*_client(stage, share, "not-my-password"), "-c", "ls", ok=(1,))
        stage.pause(rng.lognormvariate(0.8, 0.4))
    return stage.start(*_client(stage, share), limit_s=limit_s)


def _look(stage: Stage) -> str:
    folder = stage.rng.choice(FOLDERS)
    return stage.rng.choice(("ls\n", f"ls {folder}/*\n", f"ls {folder}/*\n", f"allinfo {folder}\n"))


def _get(stage: Stage) -> str:
    name = stage.rng.choice(listed(stage.world))
    return f"get {name} {stage.folder}/{name.replace('/', '-')}\n"


def browse(stage: Stage) -> None:
    """Look into some folders and open a file or two."""
    rng = stage.rng
    client = _open(stage, 60.0)
    for _ in range(1 + min(10, int(rng.expovariate(1 / 4)))):
        stage.pause(min(6.0, rng.lognormvariate(-0.2, 0.9)))
        client.say(_look(stage) if rng.random() < 0.8 else _get(stage))
    stage.pause(rng.uniform(0.2, 1.0))
    client.wait(8.0)


def copy(stage: Stage) -> None:
    """Fetch files or put files of one's own, all in one go."""
    rng = stage.rng
    lines = []
    for place in range(1 + min(12, int(rng.expovariate(1 / 2.5)))):
        if rng.random() < 0.5:
            lines.append(_get(stage))
            continue
        file = stage.folder / f"own-{place}"
        with file.open("wb") as out:
            out.truncate(min(4_000_000, 1 + int(60_000 * rng.lognormvariate(0.0, 1.5))))
        lines.append(f"put {file} {rng.choice(FOLDERS)}/own-{rng.getrandbits(24):x}\n")
    stage.run(*_client(stage), "-c", ";".join(line.strip() for line in lines), limit_s=40.0)


def stay(stage: Stage) -> None:
    """Keep a share open, as a desktop does that has it mounted, and use it now and then."""
    rng = stage.rng
    longest_s = float(stage.settings["longest_s"])
    client = _open(stage, longest_s + 15.0, rng.choice(("office", "drop")))
    left_s = min(longest_s, rng.lognormvariate(0.0, 0.6) * float(stage.settings["typical_s"]))
    while left_s > 0.0:
        nap_s = min(left_s, rng.lognormvariate(2.2, 0.7))
        stage.pause(nap_s)
        client.say("ls\n" if rng.random() < 0.7 else "du\n")
        left_s -= nap_s
    client.wait(8.0)


NEEDS = {"smbclient": "smbclient"}
KINDS = (
    Kind("share-browse", "benign", browse, NEEDS, ("files",), 5.0, 80.0, {"mistyped": 0.08}),
    Kind("share-copy", "benign", copy, NEEDS, ("files",), 1.0, 50.0),
    Kind(
        "share-stay",
        "benign",
        stay,
        NEEDS,
        ("files",),
        60.0,
        240.0,
        {"typical_s": 50.0, "longest_s": 200.0, "mistyped": 0.03},
    ),
)
