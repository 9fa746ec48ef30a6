"""Git service on store: over HTTP by nginx and git-http-backend, by git daemon, and, over SSH, by sshd.

Each repository has a history of its own, made anew for each recording. People push to branches of
their own, so that no push fails because another came first.
"""

import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

from training.testbed.service import Service
from training.testbed.world import USERS, World

REPOSITORIES = ("pages", "sensors", "notes")
WORDS = ("river", "table", "answer", "packet", "morning", "sensor", "paper", "window", "letter", "garden")
NGINX = """\
daemon off; user root; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  log_format who '$msec $remote_addr $remote_port $server_port $status "$http_user_agent" "$request"';
  access_log {folder}/log who;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  client_max_body_size 64m;
  server {{
    listen 80; listen [::]:80;
    location / {{
      fastcgi_pass unix:{folder}/cgi.sock;
      fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;
      fastcgi_param GIT_PROJECT_ROOT {folder}/repositories;
      fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param PATH_INFO $uri;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
      fastcgi_param GIT_PROTOCOL $http_git_protocol;
      fastcgi_param REMOTE_ADDR $remote_addr;
      fastcgi_param REMOTE_USER someone;
    }}
  }}
}}
"""


def repository(world: World, name: str) -> Path:
    """Return the folder of a repository, for SSH, which names it by its path."""
    return world.folder("git") / "repositories" / f"{name}.git"


def history(rng: random.Random, commits: int) -> bytes:
    """Return a history for `git fast-import`: one branch, each commit with changes to a few files."""
    parts: list[bytes] = []
    for number in range(commits):
        who = rng.choice(USERS)
        day = 1_700_000_000 + number * 9_000
        parts.append(f"commit refs/heads/main\ncommitter {who} <{who}@home.test> {day} +0000\n".encode())
        parts.append(b"data 7\nchange\n\n")
        for _ in range(1 + int(rng.paretovariate(1.6))):
            size = min(int(rng.lognormvariate(8.0, 1.1)), 80_000)
            if rng.random() < 0.15:
                path, body = f"pictures/{rng.randint(1, 40)}.png", rng.randbytes(size)
            else:
                path = f"{rng.choice(WORDS)}/{rng.choice(WORDS)}.txt"
                body = rng.randbytes(size // 2).hex("\n", 12).encode()
            parts.append(f"M 100644 inline {path}\ndata {len(body)}\n".encode() + body + b"\n")
    return b"".join(parts)


def _git(*words: str, stdin: bytes = b"") -> None:
    subprocess.run(["git", "-c", "safe.directory=*", *words], input=stdin, check=True, capture_output=True)


def _furnish(world: World, rng: random.Random) -> None:
    for name in REPOSITORIES:
        path = repository(world, name)
        _git("init", "--bare", "--shared=0666", "--initial-branch=main", str(path))
        _git("--git-dir", str(path), "fast-import", "--quiet", stdin=history(rng, rng.randint(25, 70)))
        for key in ("http.receivepack", "daemon.receivepack"):
            _git("--git-dir", str(path), "config", key, "true")
        _git("--git-dir", str(path), "config", "gc.auto", "0")
        subprocess.run(["chmod", "-R", "a+rwX", str(path)], check=True)
    (world.folder("git") / "nginx.conf").write_text(NGINX.format(folder=world.folder("git")))


def _commands(world: World) -> Sequence[Sequence[str]]:
    folder = world.folder("git")
    cgi = ["fcgiwrap", "-c", "3", "-s", f"unix:{folder}/cgi.sock"]
    web = ["nginx", "-c", f"{folder}/nginx.conf"]
    daemon = ["git", "daemon", "--reuseaddr", "--export-all", f"--base-path={folder}/repositories"]
    return [cgi, web, [*daemon, "--max-connections=60", str(folder / "repositories")]]


NEEDS = {"git": "git", "nginx": "nginx-light", "fcgiwrap": "fcgiwrap"}
SERVICES = (Service("git", "store", _furnish, _commands, NEEDS, tcp=(80, 9418), logs=("log",)),)
