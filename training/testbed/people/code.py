"""Programmers with git: clones, fetches and pushes over HTTP, SSH and git's own protocol."""

import shlex

from training.testbed.acts import Done, Kind, Stage
from training.testbed.people.shell import SSH, options, pause_s, user
from training.testbed.services.repository import REPOSITORIES, WORDS, repository


def address(stage: Stage, who: str) -> str:
    """Return the address of a repository: over HTTP mostly, over SSH, now and then git's protocol."""
    name, host = stage.rng.choice(REPOSITORIES), stage.world.name("store")
    way = stage.rng.choices(("http", "ssh", "git"), (5, 4, 1))[0]
    if way == "ssh":
        return f"ssh://{who}@{host}{repository(stage.world, name)}"
    return f"{way}://{host}/{name}.git"


def git(stage: Stage, who: str, *words: str) -> Done:
    """Run git as that person, without questions or settings of the machine."""
    env = {"GIT_SSH_COMMAND": shlex.join(["ssh", *options(stage, who)]), "GIT_TERMINAL_PROMPT": "0"}
    env |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    said = ["-c", f"user.name={who}", "-c", f"user.email={who}@home.test", "-c", "gc.auto=0"]
    return stage.run("git", *said, *words, env=env, limit_s=40)


def clone(stage: Stage) -> None:
    """Clone a repository, all of it or its latest state alone."""
    rng, who = stage.rng, user(stage)
    depth = [f"--depth={rng.randint(1, 12)}"] if rng.random() < 0.4 else []
    git(stage, who, "clone", "-q", *depth, address(stage, who), str(stage.folder / "work"))


def fetch(stage: Stage) -> None:
    """Ask what is new, as an editor does every few minutes; fetch it, and later a little more."""
    rng, who = stage.rng, user(stage)
    where, work = address(stage, who), str(stage.folder / "work")
    if rng.random() < 0.5:
        git(stage, who, "ls-remote", where)
        return
    git(stage, who, "init", "-q", work)
    git(stage, who, "-C", work, "fetch", "-q", f"--depth={rng.randint(1, 4)}", where, "main")
    for _ in range(min(3, int(rng.paretovariate(1.5)))):
        stage.pause(pause_s(stage, 1.5, 0.7, 6.0))
        git(stage, who, "-C", work, "fetch", "-q", f"--deepen={rng.randint(1, 10)}", where, "main")


def push(stage: Stage) -> None:
    """Change a few files and push them to a branch of one's own."""
    rng, who = stage.rng, user(stage)
    where, work = address(stage, who), stage.folder / "work"
    git(stage, who, "clone", "-q", "--depth=1", where, str(work))
    for _ in range(min(3, int(rng.paretovariate(1.5)))):
        stage.pause(pause_s(stage, 1.2, 0.7, 5.0))
        for _ in range(min(6, int(rng.paretovariate(1.2)))):
            file = work / f"{rng.choice(WORDS)}-{rng.randint(1, 9)}"
            file.write_bytes(rng.randbytes(min(400_000, int(rng.lognormvariate(8.5, 1.4)))))
        git(stage, who, "-C", str(work), "add", "-A")
        git(stage, who, "-C", str(work), "commit", "-q", "-m", f"{rng.choice(WORDS)} {rng.choice(WORDS)}")
        git(stage, who, "-C", str(work), "push", "-q", "origin", f"HEAD:refs/heads/{who}-{rng.getrandbits(48):x}")


NEEDS = {**SSH, "git": "git"}
SERVERS = ("git", "shell-store")
KINDS = (
    Kind("git-clone", "benign", clone, NEEDS, SERVERS, lasts_s=1),
    Kind("git-fetch", "benign", fetch, NEEDS, SERVERS, lasts_s=3),
    Kind("git-push", "benign", push, NEEDS, SERVERS, lasts_s=5),
)
