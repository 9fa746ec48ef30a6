"""Mail: writing, reading, synchronising, and a mailbox that is watched for hours."""

from training.testbed.acts import Kind, Stage
from training.testbed.services.mail import address, letter, letter_bytes, trust
from training.testbed.world import DOMAIN, USERS

SERVER = "infra"
MBSYNC = """\
IMAPAccount home
Host {host}
User {user}
Pass {password}
{security}
CertificateFile {trust}

IMAPStore far
Account home

MaildirStore near
Path {folder}/near/
Inbox {folder}/near/inbox

Channel all
Far :far:
Near :near:
Patterns INBOX
Create Near
SyncState *
ExpireUnread yes
MaxMessages {most}
MaxSize {largest}
"""


def send(stage: Stage) -> None:
    """Write one or a few messages, at times with the password mistyped first."""
    rng, user = stage.rng, stage.rng.choice(USERS)
    if rng.random() < stage.settings["mistyped"]:
        _curl_send(stage, user, "not-my-password", ok=(67,))
        stage.pause(rng.lognormvariate(0.8, 0.5))
    for _ in range(1 + int(rng.expovariate(1.5))):
        if rng.random() < stage.settings["swaks"]:
            _swaks_send(stage, user)
        else:
            _curl_send(stage, user, stage.world.passwords[user])
        stage.pause(rng.expovariate(1.0))


def notify(stage: Stage) -> None:
    """Send the short message of a machine: port 25, neither password nor, mostly, encryption."""
    rng = stage.rng
    mail = stage.folder / "mail"
    mail.write_bytes(letter(rng, address(stage.host.name), address("ada"), letter_bytes(rng, 900.0, 200_000)))
    words = ["curl", "-s", "--max-time", "20", "--mail-from", address(stage.host.name), "--mail-rcpt", address("ada")]
    words += ["--ssl", "--cacert", str(trust(stage.world))] if rng.random() < 0.3 else []
    stage.run(*words, "-T", str(mail), f"smtp://{stage.world.name(SERVER)}:25/{stage.host.name}")


def _recipients(stage: Stage) -> list[str]:
    most = 1 + min(4, int(stage.rng.expovariate(1.2)))
    outside = f"{stage.rng.choice(('office', 'shop', 'news'))}@{stage.world.sites[0].name}"
    some = stage.rng.sample([address(user) for user in USERS], most)
    return some if stage.rng.random() < 0.7 else [outside]


def _curl_send(stage: Stage, user: str, password: str, ok: tuple[int, ...] = (0,)) -> None:
    to = _recipients(stage)
    mail = stage.folder / "mail"
    mail.write_bytes(letter(stage.rng, address(user), to[0], letter_bytes(stage.rng)))
    words = ["curl", "-s", "--max-time", "25", "--ssl-reqd", "--cacert", str(trust(stage.world))]
    words += ["-u", f"{user}:{password}", "--mail-from", address(user)]
    for name in to:
        words += ["--mail-rcpt", name]
    stage.run(*words, "-T", str(mail), f"smtp://{stage.world.name(SERVER)}:587/{stage.host.name}", ok=ok)


def _swaks_send(stage: Stage, user: str) -> None:
    rng, to = stage.rng, _recipients(stage)
    words = ["swaks", "--silent", "3", "--server", stage.world.name(SERVER), "--port", "587", "-tls"]
    words += ["--helo", f"{stage.host.name}.{DOMAIN}", "--from", address(user), "--to", ",".join(to)]
    words += ["-au", user, "-ap", stage.world.passwords[user], "--timeout", "20"]
    if rng.random() < 0.5:
        attached = stage.folder / "attached"
        attached.write_bytes(rng.randbytes(letter_bytes(rng, 20_000.0)))
        words += ["--attach", f"@{attached}"]
    stage.run(*words)


def fetch(stage: Stage) -> None:
    """Look into the mailbox: what is new, then some messages, on one connection, with time to read."""
    rng, user = stage.rng, stage.rng.choice(USERS)
    plain = rng.random() < 0.25
    base = f"{'imap' if plain else 'imaps'}://{stage.world.name(SERVER)}/INBOX"
    words = ["curl", "-s", "--max-time", "40", "--cacert", str(trust(stage.world)), *(["--ssl-reqd"] if plain else [])]
    if rng.random() < stage.settings["mistyped"]:
        stage.run(*words, "-u", f"{user}:not-my-password", base, ok=(67,))
        stage.pause(rng.lognormvariate(0.8, 0.5))
    words += ["-u", f"{user}:{stage.world.passwords[user]}"]
    words += ["--rate", f"{rng.choice((40, 90, 200, 1000))}/m", "-o", "/dev/null", "-X", "STATUS INBOX (UNSEEN)", base]
    for place in rng.sample(range(1, 9), rng.randint(0, 5)):
        part = rng.choice(("", ";SECTION=HEADER"))
        words += ["--next", "-s", "--cacert", str(trust(stage.world)), *(["--ssl-reqd"] if plain else [])]
        words += ["-u", f"{user}:{stage.world.passwords[user]}", "-o", "/dev/null", f"{base};MAILINDEX={place}{part}"]
    stage.run(*words, limit_s=45.0)


def synchronise(stage: Stage) -> None:
    """Let a mail program copy what it has not got, then look for more once or twice."""
    rng, user = stage.rng, stage.rng.choice(USERS)
    (stage.folder / "near").mkdir()
    config = stage.folder / "mbsyncrc"
    security = "SSLType STARTTLS" if rng.random() < 0.5 else "SSLType IMAPS"
    values = {"host": stage.world.name(SERVER), "user": user, "password": stage.world.passwords[user]}
    values |= {"security": security, "trust": str(trust(stage.world)), "folder": str(stage.folder)}
    most, largest = 1 + int(rng.expovariate(1 / 5)), f"{rng.choice((20, 200, 2000))}k"
    config.write_text(MBSYNC.format(**values, most=most, largest=largest))
    for _ in range(rng.choice((1, 1, 2, 3))):
        stage.run("mbsync", "-q", "-c", str(config), "all", limit_s=40.0)
        stage.pause(rng.lognormvariate(0.3, 0.8))


def idle(stage: Stage) -> None:
    """Keep a mailbox open and hear what comes in (IMAP IDLE), with the renewals of a mail program."""
    rng, user = stage.rng, stage.rng.choice(USERS)
    words = ["openssl", "s_client", "-quiet", "-crlf", "-connect", f"{stage.world.name(SERVER)}:993"]
    limit_s = float(stage.settings["longest_s"])
    client = stage.start(*words, "-CAfile", str(trust(stage.world)), limit_s=limit_s + 20.0)
    stage.pause(rng.uniform(0.3, 0.8))
    client.say(f"a login {user} {stage.world.passwords[user]}\n")
    stage.pause(rng.uniform(0.1, 0.4))
    client.say("b select INBOX\n")
    left_s = min(limit_s, rng.lognormvariate(0.0, 0.6) * float(stage.settings["typical_s"]))
    while left_s > 0.0:
        stage.pause(rng.uniform(0.1, 0.3))
        client.say("c idle\n")
        nap_s = min(left_s, rng.lognormvariate(3.3, 0.5))
        stage.pause(nap_s)
        client.say("done\n")
        stage.pause(0.2)
        client.say(rng.choice(("d noop\n", "d fetch 1:* (flags)\n", "d status INBOX (messages unseen)\n")))
        left_s -= nap_s + 0.4
    client.say("e logout\n")
    client.wait(5.0)


NEEDS = {"curl": "curl"}
KINDS = (
    Kind(
        "mail-send", "benign", send, NEEDS | {"swaks": "swaks"}, ("mail",), 3.0, 90.0, {"swaks": 0.3, "mistyped": 0.05}
    ),
    Kind("mail-notify", "benign", notify, NEEDS, ("mail",), 0.5, 25.0),
    Kind("mail-fetch", "benign", fetch, NEEDS, ("mail",), 3.0, 60.0, {"mistyped": 0.05}),
    Kind("mail-sync", "benign", synchronise, {"mbsync": "isync"}, ("mail",), 3.0, 90.0),
    Kind(
        "mail-idle",
        "benign",
        idle,
        {"openssl": "openssl"},
        ("mail",),
        60.0,
        260.0,
        {"typical_s": 45.0, "longest_s": 200.0},
    ),
)
