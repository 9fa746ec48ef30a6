"""Mail service: Postfix takes mail, Dovecot keeps it, both set up from nothing for one recording.

Mail to people of the house ends in their mailbox; what goes elsewhere is taken and thrown away,
since there is no elsewhere. People sign in on port 587 and in IMAP with their own passwords.
"""

import grp
import os
import pwd
import random
from collections.abc import Sequence
from pathlib import Path

from training.testbed.service import Service
from training.testbed.web.certificates import authority, issue
from training.testbed.world import DOMAIN, RUN, USERS, World

OWNER = 63_000
"""The numeric user of all mailboxes."""
ACCOUNTS = {"postfix": 63_001, "postdrop": 63_002, "dovecot": 63_003, "dovenull": 63_004}
PROGRAMS = "/usr/lib/postfix/sbin"
QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace")
FIRST_MAILS = (8, 30)
WORDS = (
    "meeting",
    "invoice",
    "tomorrow",
    "please",
    "report",
    "thanks",
    "the",
    "and",
    "budget",
    "holiday",
    "see",
    "list",
)

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = infra.{domain}
mydestination =
mynetworks_style = host
inet_protocols = all
smtputf8_enable = no
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/boxes
virtual_mailbox_maps = texthash:{folder}/users
virtual_uid_maps = static:{owner}
virtual_gid_maps = static:{owner}
virtual_mailbox_limit = 0
default_transport = discard
relay_transport = discard
smtpd_recipient_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_peername_lookup = no
smtpd_client_port_logging = yes
smtpd_tls_cert_file = {chain}
smtpd_tls_key_file = {key}
smtpd_tls_security_level = may
smtpd_sasl_type = dovecot
smtpd_sasl_path = {folder}/auth
message_size_limit = 30000000
disable_dns_lookups = yes
"""
# service, type, private, unprivileged, chroot, wakeup, most processes, command
MASTER = """\
smtp inet n - n - - smtpd
587 inet n - n - - smtpd -o smtpd_sasl_auth_enable=yes -o smtpd_tls_security_level=encrypt
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
postlog unix-dgram n - n - 1 postlogd
"""
DOVECOT = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/imap.log
protocols = imap
listen = *, ::
ssl = yes
ssl_cert = <{chain}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = maildir:{folder}/boxes/%n
default_internal_user = dovecot
default_internal_group = dovecot
default_login_user = dovenull
first_valid_uid = {owner}
login_log_format_elements = user=<%u> %r:%b %l
auth_failure_delay = 2 secs
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%n {folder}/passwords
}}
userdb {{
  driver = static
  args = uid={owner} gid={owner} home={folder}/homes/%n
}}
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
}}
service anvil {{
  chroot =
}}
service auth {{
  unix_listener {folder}/auth {{
    mode = 0666
  }}
}}
"""


def address(user: str) -> str:
    """Return the mail address of a person of the house."""
    return f"{user}@{DOMAIN}"


def trust(world: World) -> Path:
    """Return the certificate that a client trusts the mail server by."""
    return world.folder("mail") / "keys" / "root.pem"


def letter(rng: random.Random, sender: str, recipient: str, size: int) -> bytes:
    """Return a message of about `size` bytes: words, or beyond 8 kB an attachment in base64."""
    head = f"From: <{sender}>\nTo: <{recipient}>\nMessage-ID: <{rng.getrandbits(64):x}@{DOMAIN}>\nSubject: "
    head += " ".join(rng.choices(WORDS, k=rng.randint(1, 6)))
    line = " ".join(rng.choices(WORDS, k=11))
    body = "\n".join([line] * max(1, min(size, 8_000) // len(line)))
    noise = rng.randbytes(54).hex()[:72]
    packed = "\n".join([noise] * max(0, (size - 8_000) // 73))
    return f"{head}\n\n{body}\n{packed}\n".encode()


def letter_bytes(rng: random.Random, typical: float = 4_000.0, most: int = 1_500_000) -> int:
    """Draw a message's size in bytes: lognormal, now and then with an attachment."""
    median = typical if rng.random() < 0.8 else 40 * typical
    return min(most, max(300, int(median * rng.lognormvariate(0.0, 1.0))))


def enroll(numbers: dict[str, int]) -> None:
    """Add system accounts to the private world's own user list.

    Raises RuntimeError outside of it: the machine's users are none of ours.
    """
    users, groups = Path("/etc/passwd"), Path("/etc/group")
    if str(RUN) not in users.read_text():
        raise RuntimeError("accounts are added in the testbed's own world alone")
    for file, line in ((users, "{0}:x:{1}:{1}::/nonexistent:/usr/sbin/nologin\n"), (groups, "{0}:x:{1}:\n")):
        known = {entry.split(":")[0] for entry in file.read_text().splitlines()}
        with file.open("a") as out:
            out.writelines(line.format(name, number) for name, number in numbers.items() if name not in known)


def _furnish(world: World, rng: random.Random) -> None:
    folder = world.folder("mail")
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    enroll(ACCOUNTS)
    _queue(folder)
    for name in ("boxes", "homes"):
        (folder / name).mkdir()
        os.chown(folder / name, OWNER, OWNER)
    for user in USERS:
        _mailbox(folder / "boxes" / user, rng, user)
    (folder / "users").write_text("".join(f"{address(user)} {user}/\n" for user in USERS))
    (folder / "passwords").write_text("".join(f"{user}:{world.passwords[user]}\n" for user in USERS))
    authority(folder / "keys")
    chain, key = issue(folder / "keys", [world.name("infra"), f"mail.{DOMAIN}"])
    values = {"folder": folder, "domain": DOMAIN, "owner": OWNER, "chain": chain, "key": key}
    (folder / "main.cf").write_text(MAIN.format(**values))
    (folder / "master.cf").write_text(MASTER)
    (folder / "dovecot.conf").write_text(DOVECOT.format(**values))


def _queue(folder: Path) -> None:
    # A machine that has the packages has accounts of these names, with numbers of its own.
    postfix, drop = pwd.getpwnam("postfix").pw_uid, grp.getgrnam("postdrop").gr_gid
    (folder / "data").mkdir()
    os.chown(folder / "data", postfix, postfix)
    queue = folder / "queue"
    queue.mkdir()
    (queue / "pid").mkdir()
    for name in QUEUES:
        (queue / name).mkdir(mode=0o700)
        os.chown(queue / name, postfix, postfix)
    for name, mode in (("maildrop", 0o730), ("public", 0o710)):
        (queue / name).mkdir()
        os.chown(queue / name, postfix, drop)
        (queue / name).chmod(mode)


def _mailbox(box: Path, rng: random.Random, user: str) -> None:
    for name in ("", "cur", "new", "tmp"):
        (box / name).mkdir()
        os.chown(box / name, OWNER, OWNER)
    for place in range(rng.randint(*FIRST_MAILS)):
        sender = address(rng.choice([other for other in USERS if other != user]))
        mail = box / "cur" / f"{1_700_000_000 + place}.{rng.getrandbits(32):x}.infra:2,S"
        mail.write_bytes(letter(rng, sender, address(user), letter_bytes(rng)))
        os.chown(mail, OWNER, OWNER)


def _commands(world: World) -> Sequence[Sequence[str]]:
    folder = world.folder("mail")
    return [[f"{PROGRAMS}/master", "-c", str(folder), "-d"], ["dovecot", "-F", "-c", f"{folder}/dovecot.conf"]]


SERVICES = (
    Service(
        "mail",
        "infra",
        _furnish,
        _commands,
        {"postfix": "postfix", "dovecot": "dovecot-imapd", "openssl": "openssl"},
        tcp=(25, 587, 143, 993),
        logs=("log", "imap.log"),
    ),
)
