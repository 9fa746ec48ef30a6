"""People in shells over SSH: typed sessions, single commands, idle ones, a mistyped password."""

import shlex

from training.testbed.acts import Kind, Stage
from training.testbed.services.shell import key
from training.testbed.world import USERS

OWNERS = {"desk": "ada", "laptop": "ben", "office": "cleo"}
COMMANDS = (
    "ls -l",
    "ls -la papers",
    "uptime",
    "df -h",
    "date",
    "who",
    "pwd",
    "free -m",
    "id",
    "ps aux | head -40",
    "cat /etc/services",
    "tail -n 60 /usr/share/common-licenses/GPL-3",
    "cat /usr/share/common-licenses/Apache-2.0",
    "du -sh papers",
    "ls -lR /usr/share/doc | head -600",
    "md5sum papers/*",
    "grep -c e papers/paper-01",
    "find /usr/lib -maxdepth 1 | sort | head -120",
    "echo done",
)
SHELLS = ("shell-web", "shell-store")


def user(stage: Stage) -> str:
    """Return who acts: mostly the one to whom the host belongs."""
    owner = OWNERS.get(stage.host.name)
    return owner if owner and stage.rng.random() < 0.85 else stage.rng.choice(USERS[:3])


def server(stage: Stage) -> str:
    """Return the name of a server with shells that is not the host itself."""
    return stage.world.name(stage.rng.choice([name for name in ("web", "store") if name != stage.host.name]))


def pause_s(stage: Stage, median: float, sigma: float, most: float) -> float:
    """Return a pause: lognormal around `median`, at most `most` seconds."""
    return min(most, median * stage.rng.lognormvariate(0, sigma))


def options(stage: Stage, who: str, *, by_key: bool = True, prompts: int = 2) -> list[str]:
    """Return what every ssh, scp, sftp of the user is given: the user's key, or so many asked passwords."""
    words = ["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    words += ["-o", "LogLevel=ERROR", "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=8"]
    if by_key:
        return [*words, "-o", "PasswordAuthentication=no", "-i", str(key(stage.world, who))]
    return [*words, "-o", "PubkeyAuthentication=no", "-o", f"NumberOfPasswordPrompts={prompts}"]


def family(stage: Stage) -> list[str]:
    """Return the option for IPv4 or IPv6, or none for what the names say first."""
    return stage.rng.choices(([], ["-4"], ["-6"]), (5, 4, 1))[0]


def typed(stage: Stage, *passwords: str) -> dict[str, str]:
    """Return the environment in which ssh is told these passwords, one a prompt, after some seconds each."""
    script = stage.folder / "password"
    counter = stage.folder / "prompts"
    lines = ["#!/bin/sh", f"n=$(cat {counter} 2>/dev/null || echo 0)", f"echo $((n + 1)) > {counter}", "case $n in"]
    for place, password in enumerate(passwords):
        wait_s = pause_s(stage, 1.3, 0.4, 5.0)
        lines.append(f"{place}) sleep {wait_s:.2f}; echo {shlex.quote(password)} ;;")
    script.write_text("\n".join([*lines, "esac"]) + "\n")
    script.chmod(0o755)
    return {"SSH_ASKPASS": str(script), "SSH_ASKPASS_REQUIRE": "force"}


def mistyped(stage: Stage, password: str) -> str:
    """Return the password with one slip of the fingers."""
    place = stage.rng.randrange(len(password))
    return password[:place] + stage.rng.choice("qwertzuiop") + password[place + stage.rng.randint(0, 1) :]


def session(stage: Stage) -> None:
    """Sign in, type commands key by key, read what they print, and leave."""
    rng, who = stage.rng, user(stage)
    by_key = rng.random() < 0.7
    env = {} if by_key else typed(stage, stage.world.passwords[who])
    words = ["ssh", "-tt", *options(stage, who, by_key=by_key), *family(stage), f"{who}@{server(stage)}"]
    shell = stage.start(*words, env=env, limit_s=stage.settings["most_s"] + 20)
    stage.pause(pause_s(stage, 2.0, 0.3, 5.0) + (0 if by_key else 2.5))
    left_s = pause_s(stage, stage.settings["median_s"], 0.6, stage.settings["most_s"])
    key_s = pause_s(stage, 0.14, 0.3, 0.4)
    while left_s > 0:
        for letter in rng.choice(COMMANDS) + "\r":
            shell.say(letter)
            gap_s = pause_s(stage, key_s, 0.55, 1.5)
            if rng.random() < 0.03:
                shell.say("x\x7f")
            stage.pause(gap_s)
            left_s -= gap_s
        read_s = pause_s(stage, 1.8, 0.9, 14.0)
        stage.pause(read_s)
        left_s -= read_s
    for letter in "exit\r":
        shell.say(letter)
        stage.pause(pause_s(stage, key_s, 0.4, 0.6))
    shell.wait(4)


def command(stage: Stage) -> None:
    """Run a single command on a server, or a few, one connection each, as a script does."""
    rng, who, where = stage.rng, user(stage), server(stage)
    for _ in range(min(4, int(rng.paretovariate(2.0)))):
        words = ["ssh", *options(stage, who), *family(stage), f"{who}@{where}", rng.choice(COMMANDS)]
        stage.run(*words, limit_s=15, ok=None)
        stage.pause(pause_s(stage, 0.3, 0.8, 2.0))


def idle(stage: Stage) -> None:
    """Leave a session open and go away: keep-alives of either side now and then, a key or two."""
    rng, who = stage.rng, user(stage)
    alive = ["-o", f"ServerAliveInterval={rng.choice((5, 10, 15, 30))}"]
    words = ["ssh", "-tt", *alive, *options(stage, who), f"{who}@{server(stage)}"]
    shell = stage.start(*words, limit_s=stage.settings["most_s"] + 20)
    left_s = max(30.0, pause_s(stage, stage.settings["median_s"], 0.5, stage.settings["most_s"]))
    while left_s > 0:
        quiet_s = min(left_s, pause_s(stage, 35.0, 0.7, 120.0))
        stage.pause(quiet_s)
        left_s -= quiet_s
        shell.say(rng.choice(("\r", "date\r", " ")))
    shell.say("\x15exit\r")
    shell.wait(4)


def mistype(stage: Stage) -> None:
    """Type the password wrongly once, then rightly: in one connection, or giving up and coming back."""
    rng, who, where = stage.rng, user(stage), server(stage)
    right = stage.world.passwords[who]
    if rng.random() < 0.6:
        words = ["ssh", *options(stage, who, by_key=False), f"{who}@{where}", rng.choice(COMMANDS)]
        stage.run(*words, env=typed(stage, mistyped(stage, right), right), limit_s=25)
        return
    env = typed(stage, mistyped(stage, right), right)
    base = ["ssh", *options(stage, who, by_key=False, prompts=1)]
    stage.run(*base, f"{who}@{where}", "true", env=env, limit_s=15, ok=(255,))
    stage.pause(pause_s(stage, 1.5, 0.6, 5.0))
    stage.run(*base, f"{who}@{where}", rng.choice(COMMANDS), env=env, limit_s=15)


SSH = {"ssh": "openssh-client"}
SESSION = {"median_s": 25.0, "most_s": 90.0}
IDLE = {"median_s": 110.0, "most_s": 240.0}
KINDS = (
    Kind("ssh-session", "benign", session, SSH, SHELLS, lasts_s=32, limit_s=130, settings=SESSION),
    Kind("ssh-command", "benign", command, SSH, SHELLS, lasts_s=1.5),
    Kind("ssh-idle", "benign", idle, SSH, SHELLS, lasts_s=115, limit_s=280, settings=IDLE),
    Kind("ssh-mistyped", "benign", mistype, SSH, SHELLS, lasts_s=6),
)
