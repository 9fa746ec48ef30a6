"""People copying files: scp, sftp, rsync, FTP, and the backups of the night."""

import shlex
from pathlib import Path

from training.testbed.acts import Kind, Stage
from training.testbed.people.shell import SHELLS, SSH, family, mistyped, options, pause_s, server, user
from training.testbed.services.shell import PAPERS


def size_bytes(stage: Stage, median: float, sigma: float, most: int) -> int:
    """Return a file's size: lognormal around `median`, at most `most` bytes."""
    return max(1, min(most, int(median * stage.rng.lognormvariate(0, sigma))))


def make_files(stage: Stage, folder: Path, total: int, median: float = 40_000.0, sigma: float = 1.5) -> list[Path]:
    """Write `total` files of noise below the folder and return them."""
    folder.mkdir(exist_ok=True)
    made = []
    for number in range(total):
        made.append(folder / f"file-{number:03d}")
        made[-1].write_bytes(stage.rng.randbytes(size_bytes(stage, median, sigma, 6_000_000)))
    return made


def paper(stage: Stage) -> str:
    """Return the path of one of the files that a user has at home."""
    return f"papers/paper-{stage.rng.randrange(PAPERS):02d}"


def scp(stage: Stage) -> None:
    """Copy a few files to a server, or from it."""
    rng, who, where = stage.rng, user(stage), server(stage)
    words = ["scp", "-q", *options(stage, who), *family(stage)]
    few = min(8, int(rng.paretovariate(1.3)))
    if rng.random() < 0.5:
        files = map(str, make_files(stage, stage.folder / "out", few))
        stage.run(*words, *files, f"{who}@{where}:inbox/", limit_s=40)
    else:
        stage.run(*words, *(f"{who}@{where}:{paper(stage)}" for _ in range(few)), str(stage.folder), limit_s=40)


def sftp(stage: Stage) -> None:
    """Look around in folders and fetch or put files, with pauses to think."""
    rng, who = stage.rng, user(stage)
    words = ["sftp", "-q", "-b", "-", *options(stage, who), *family(stage), f"{who}@{server(stage)}"]
    [mine] = make_files(stage, stage.folder / "out", 1)
    shell = stage.start(*words, limit_s=50)
    stage.pause(pause_s(stage, 1.2, 0.4, 4.0))
    for _ in range(2 + min(6, int(rng.expovariate(0.5)))):
        do = (f"get {paper(stage)} {stage.folder}/got", f"put {mine} inbox/", "ls -l papers", "ls -l", "pwd", "df")
        shell.say(rng.choice(do) + "\n")
        stage.pause(pause_s(stage, 1.4, 0.8, 8.0))
    shell.say("bye\n")
    shell.wait(10)


def rsync(stage: Stage) -> None:
    """Bring a folder over, change a little, and bring it over again."""
    rng, who = stage.rng, user(stage)
    tree = stage.folder / "tree"
    files = make_files(stage, tree, min(60, 4 + int(6 * rng.paretovariate(1.4))), 9_000.0)
    shell = shlex.join(["ssh", *options(stage, who)])
    target = f"{who}@{server(stage)}:inbox/{stage.host.name}-tree/"
    words = ["rsync", "-a", "--delete", *rng.choice(([], ["-z"])), "-e", shell, f"{tree}/", target]
    stage.run(*words, limit_s=30, ok=(0, 23, 24))
    for _ in range(int(rng.paretovariate(2.0))):
        stage.pause(pause_s(stage, 1.5, 0.6, 5.0))
        for changed in rng.sample(files, min(len(files), int(rng.paretovariate(1.2)))):
            changed.write_bytes(changed.read_bytes()[: rng.randint(10, 9_000)] + rng.randbytes(rng.randint(1, 3_000)))
        stage.run(*words, limit_s=30, ok=(0, 23, 24))


def backup(stage: Stage) -> None:
    """Send all that a host has to the store: a packed archive, or files one by one and then the changes."""
    rng = stage.rng
    total = size_bytes(stage, stage.settings["median_bytes"], 0.6, stage.settings["most_bytes"])
    tree = stage.folder / "all"
    tree.mkdir()
    left = total
    while left > 0:
        size = min(left, size_bytes(stage, 150_000, 1.5, 4_000_000))
        (tree / f"part-{left}").write_bytes(rng.randbytes(size))
        left -= size
    ssh = shlex.join(["ssh", *options(stage, "backup")])
    to = f"backup@{stage.world.name('store')}"
    if rng.random() < 0.5:
        pack = f"tar -c -C {shlex.quote(str(tree))} . | {ssh} {to} 'cat > inbox/{stage.host.name}.tar'"
        stage.run("sh", "-c", pack, limit_s=80)
    else:
        words = ["rsync", "-a", "--delete", "-e", ssh, f"{tree}/", f"{to}:inbox/{stage.host.name}/"]
        stage.run(*words, limit_s=80, ok=(0, 23, 24))


def ftp_get(stage: Stage) -> None:
    """Fetch files over FTP with one sign-in and a data connection each."""
    _ftp(stage, [paper(stage) for _ in range(min(10, int(stage.rng.paretovariate(1.0))))], [])


def ftp_put(stage: Stage) -> None:
    """Put files over FTP with one sign-in and a data connection each."""
    few = min(10, int(stage.rng.paretovariate(1.1)))
    _ftp(stage, [], make_files(stage, stage.folder / "out", few, 20_000.0))


def _ftp(stage: Stage, get: list[str], put: list[Path]) -> None:
    rng, who = stage.rng, user(stage)
    password, where = stage.world.passwords[who], stage.world.name("web")
    if rng.random() < 0.45:
        script = ["set net:timeout 8", "set net:max-retries 1", "set ftp:ssl-allow no", "set cmd:interactive no"]
        script += [f"open -u {who},{password} {where}", rng.choice(("cls -l", "cls papers", "pwd"))]
        for path in get:
            script += [f"get {path} -o {stage.folder}/got-{len(script)}", _thinking(stage)]
        for file in put:
            script += [f"put {file} -o inbox/{file.name}", _thinking(stage)]
        stage.run("lftp", "-c", "\n".join([*filter(None, script), "bye"]), limit_s=50)
        return
    words = ["curl", "-sS", "--connect-timeout", "8", "-u", f"{who}:{password}", *family(stage)]
    words += ["--disable-epsv"] if rng.random() < 0.5 else []
    for path in get:
        words += ["-o", "/dev/null", f"ftp://{where}/{path}"]
    for file in put:
        words += ["-T", str(file), f"ftp://{where}/inbox/"]
    stage.run(*words, limit_s=40)


def _thinking(stage: Stage) -> str:
    return f"!sleep {pause_s(stage, 0.8, 0.7, 4.0):.2f}" if stage.rng.random() < 0.4 else ""


def ftp_mistyped(stage: Stage) -> None:
    """Sign in over FTP with a wrong password, then with the right one."""
    who, where = user(stage), stage.world.name("web")
    password = stage.world.passwords[who]
    words = ["curl", "-sS", "--connect-timeout", "8", f"ftp://{where}/papers/"]
    for _ in range(min(3, int(stage.rng.paretovariate(2.5)))):
        stage.run(*words, "-u", f"{who}:{mistyped(stage, password)}", ok=(67,))
        stage.pause(pause_s(stage, 2.2, 0.5, 7.0))
    stage.run(*words, "-u", f"{who}:{password}")


CURL = {"curl": "curl"}
FTP = {**CURL, "lftp": "lftp"}
RSYNC = {**SSH, "rsync": "rsync"}
BACKUP = {"median_bytes": 5_000_000, "most_bytes": 30_000_000}
KINDS = (
    Kind("scp-copy", "benign", scp, {**SSH, "scp": "openssh-client"}, SHELLS, lasts_s=0.8),
    Kind("sftp-session", "benign", sftp, {**SSH, "sftp": "openssh-client"}, SHELLS, lasts_s=9, limit_s=70),
    Kind("rsync-copy", "benign", rsync, RSYNC, SHELLS, lasts_s=5),
    Kind("backup", "benign", backup, RSYNC, ("shell-store",), lasts_s=3, limit_s=90, settings=BACKUP),
    Kind("ftp-get", "benign", ftp_get, FTP, ("ftp",), lasts_s=1.5),
    Kind("ftp-put", "benign", ftp_put, FTP, ("ftp",), lasts_s=1.5),
    Kind("ftp-mistyped", "benign", ftp_mistyped, CURL, ("ftp",), lasts_s=5),
)
