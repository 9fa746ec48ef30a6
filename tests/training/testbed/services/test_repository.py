"""The git service."""

from random import Random
from typing import Any

from tests.training.testbed.bench import Bench
from training.testbed.services.repository import REPOSITORIES, history, repository
from training.testbed.services.shell import key


def test_a_history_repeats_with_the_seed():
    assert history(Random(2), 9) == history(Random(2), 9) != history(Random(3), 9)
    assert history(Random(2), 9).count(b"\ncommitter ") == 9


def cloned(bench: Bench) -> dict[str, list[str]]:
    """Clone a repository in the three ways, and push by HTTP and SSH."""
    bench.serve("names", "shell", "repository")
    name, said = REPOSITORIES[1], {}
    bench.run("desk", "mkdir", "/tmp/git")
    shell = f"ssh -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i {key(bench.world, 'ben')}"
    git = ["git", "-c", f"core.sshCommand={shell}", "-c", "user.name=ben", "-c", "user.email=ben@home.test"]
    urls = {
        "http": f"http://store.home.test/{name}.git",
        "git": f"git://store.home.test/{name}.git",
        "ssh": f"ssh://ben@store.home.test{repository(bench.world, name)}",
    }
    for way, url in urls.items():
        work = f"/tmp/git/{way}"
        done = [bench.run("desk", *git, "clone", "-q", url, work)]
        if way != "git":
            done.append(bench.run("desk", *git, "-C", work, "commit", "-q", "--allow-empty", "-m", "more"))
            done.append(bench.run("desk", *git, "-C", work, "push", "-q", "origin", f"HEAD:refs/heads/{way}"))
        said[way] = [one.stderr for one in done if one.returncode]
    said["branches"] = sorted(
        line.split()[1] for line in bench.run("desk", *git, "ls-remote", urls["http"]).stdout.splitlines()
    )
    return said


def test_a_repository_is_cloned_and_pushed_in_every_way(in_world: Any):
    said = in_world(cloned)
    assert said["http"] == said["git"] == said["ssh"] == []
    assert {"refs/heads/main", "refs/heads/http", "refs/heads/ssh"} <= set(said["branches"])
