"""The servers: nginx, dnsmasq and sshd of our own, set up from nothing for one recording."""

import random
import secrets
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sensor.errors import NettrusionError
from training.testbed.enclosure import RUN, bind
from training.testbed.network import SERVER, inside

PAGES = {
    "/": 4_200,
    "/news": 18_500,
    "/about": 1_100,
    "/style.css": 7_800,
    "/app.js": 31_000,
    "/logo.png": 2_600,
    "/photo.jpg": 46_000,
}
FILES = {"/files/report.pdf": 130_000, "/files/notes.txt": 600, "/files/table.csv": 64_000}
WORDS = ("network", "sensor", "flow", "packet", "server", "river", "table", "morning", "answer")

NGINX = """\
daemon off; user root; worker_processes 1; pid {run}/nginx/pid; error_log {run}/nginx/error.log;
events {{ worker_connections 256; }}
http {{
  log_format who '$msec $remote_addr $remote_port $server_port $status "$http_user_agent"';
  access_log {run}/nginx/access.log who;
  client_body_temp_path {run}/nginx/body; proxy_temp_path {run}/nginx/proxy;
  fastcgi_temp_path {run}/nginx/f; uwsgi_temp_path {run}/nginx/u; scgi_temp_path {run}/nginx/s;
  keepalive_timeout 20s; client_header_timeout 40s; client_body_timeout 40s;
  types {{ text/html html; text/css css; image/png png; image/jpeg jpg; text/plain txt; }}
  default_type text/html;
  server {{
    listen 80; listen [::]:80; listen 443 ssl; listen [::]:443 ssl;
    ssl_certificate {run}/nginx/cert.pem; ssl_certificate_key {run}/nginx/key.pem;
    root {run}/nginx/pages; index index;
    location /private/ {{ auth_basic "staff"; auth_basic_user_file {run}/nginx/users; }}
    location /drip/ {{ limit_rate 3k; alias {run}/nginx/pages/files/; }}
    location /upload {{ client_max_body_size 1m; proxy_pass http://127.0.0.1:8081; }}
  }}
  server {{ listen 127.0.0.1:8081; access_log off; location / {{ return 200 "thank you"; }} }}
}}
"""
SSHD = """\
AddressFamily any
HostKey {run}/sshd/host_key
PidFile none
AuthorizedKeysFile {run}/sshd/authorized
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication yes
KbdInteractiveAuthentication no
AllowUsers ada guest
PrintMotd no
PrintLastLog no
MaxStartups 30:30:60
Subsystem sftp internal-sftp
LogLevel VERBOSE
"""
DNSMASQ = [
    "dnsmasq",
    "--keep-in-foreground",
    "--conf-file=/dev/null",
    "--no-resolv",
    "--no-hosts",
    "--user=root",
    f"--pid-file={RUN}/dnsmasq.pid",
    "--bind-interfaces",
    f"--listen-address={SERVER.v4},{SERVER.v6}",
    "--local=/home.test/",
    "--mx-host=home.test,mail.home.test,10",
    "--txt-record=home.test,v=spf1 -all",
    *(f"--host-record={n}.home.test,{SERVER.v4},{SERVER.v6}" for n in ("www", "mail", "files")),
]


@dataclass(frozen=True, slots=True)
class Secrets:
    """What it takes to get in: the passwords of `ada`, `guest` and the staff page, ada's SSH key."""

    passwords: Mapping[str, str]
    user_key: Path

    @classmethod
    def fresh(cls) -> "Secrets":
        """Return secrets that nobody had before and nobody needs after the recording."""
        passwords = {name: secrets.token_hex(7) for name in ("ada", "guest", "web")}
        return cls(passwords, RUN / "sshd" / "user_key")


class Servers:
    """The running servers and the secrets to use them, all of which end with the recording."""

    def __init__(self, rng: random.Random) -> None:
        """Write configuration, pages and keys; start nothing yet."""
        self.secrets = Secrets.fresh()
        self.access_log = RUN / "nginx" / "access.log"
        self.ssh_log = RUN / "sshd" / "log"
        self._running: list[subprocess.Popen[bytes]] = []
        self._furnish_web(rng)
        self._furnish_shell(rng)

    def _furnish_web(self, rng: random.Random) -> None:
        base = RUN / "nginx"
        for path, size in {**PAGES, **FILES, "/private/index": 900}.items():
            page = base / "pages" / (path.lstrip("/") or "index")
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_bytes(content(rng, page.suffix, size))
        (base / "users").write_text(f"admin:{{PLAIN}}{self.secrets.passwords['web']}\n")
        (base / "nginx.conf").write_text(NGINX.format(run=RUN))
        key = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        key += ["-nodes", "-days", "2", "-subj", "/CN=www.home.test"]
        made(*key, "-keyout", str(base / "key.pem"), "-out", str(base / "cert.pem"))

    def _furnish_shell(self, rng: random.Random) -> None:
        base = RUN / "sshd"
        base.mkdir()
        for key in (base / "host_key", self.secrets.user_key):
            made("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key))
        (base / "authorized").write_text(self.secrets.user_key.with_suffix(".pub").read_text())
        (base / "sshd.conf").write_text(SSHD.format(run=RUN))
        shadow = ["root:*:20000::::::", "sshd:!:20000::::::", "nobody:*:20000::::::"]
        for name, number in (("ada", 61001), ("guest", 61002)):
            digest = made("openssl", "passwd", "-6", self.secrets.passwords[name]).strip()
            shadow.append(f"{name}:{digest}:20000::::::")
            home = RUN / name
            home.mkdir()
            (home / "letter.txt").write_bytes(content(rng, ".txt", 24_000))
            for path in (home, home / "letter.txt"):
                path.chmod(0o755)
                subprocess.run(["chown", f"{number}:{number}", str(path)], check=True)
        ours = RUN / "etc" / "shadow"
        ours.write_text("\n".join(shadow) + "\n")
        ours.chmod(0o600)
        bind(ours, Path("/etc/shadow"))

    def start(self) -> None:
        """Start all three in the server's namespace; return once they listen."""
        sshd = ["/usr/sbin/sshd", "-D", "-f", str(RUN / "sshd" / "sshd.conf")]
        self._start(["nginx", "-c", str(RUN / "nginx" / "nginx.conf")], "nginx.out")
        self._start([*sshd, "-E", str(self.ssh_log)], "sshd.out")
        self._start(DNSMASQ, "dnsmasq.out")
        ports = {f"{port:04X}" for port in (22, 53, 80, 443)}
        until = time.monotonic() + 10
        while not ports <= self._listening():
            if time.monotonic() > until or any(p.poll() is not None for p in self._running):
                said = " ".join(f.read_text(errors="replace") for f in RUN.glob("*.out"))
                raise NettrusionError(f"a server did not start: {said.strip() or 'it said nothing'}")
            time.sleep(0.05)

    def _start(self, words: list[str], log: str) -> None:
        with (RUN / log).open("wb") as out:
            self._running.append(
                subprocess.Popen(inside(SERVER, words), stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            )

    @staticmethod
    def _listening() -> set[str]:
        table = subprocess.run(
            inside(SERVER, ["cat", "/proc/net/tcp"]), capture_output=True, text=True, check=True
        ).stdout
        rows = [line.split() for line in table.splitlines()[1:]]
        return {row[1].split(":")[1] for row in rows if row[3] == "0A"}

    def stop(self) -> None:
        """Stop all three and wait until their logs are whole."""
        for server in self._running:
            server.terminate()
        for server in self._running:
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.kill()


def content(rng: random.Random, suffix: str, size: int) -> bytes:
    """Return the bytes of a file: words for text, noise for what is packed anyway."""
    if suffix in (".png", ".jpg", ".pdf"):
        return rng.randbytes(size)
    return " ".join(rng.choice(WORDS) for _ in range(size // 5)).encode()[:size].ljust(size)


def made(*words: str) -> str:
    """Run a command of the set-up and return what it printed."""
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise NettrusionError(f"{words[0]} failed: {done.stderr.strip()}")
    return done.stdout
