"""How nginx is told what a site is like."""

import sys
from collections.abc import Sequence
from pathlib import Path

from training.testbed.enclosure import SOURCE_TREE
from training.testbed.web.catalogue import Site

VERSIONS = {"1.2": "TLSv1.2", "1.3": "TLSv1.3", "both": "TLSv1.2 TLSv1.3"}

HEAD = """\
daemon off; user root; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
worker_rlimit_nofile 8192;
events {{ worker_connections 2048; }}
http {{
  log_format who '$msec $remote_addr $remote_port $server_port $status "$http_user_agent" "$request"';
  access_log {folder}/access.log who;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  types {{ text/html html; text/css css; text/javascript js; image/png png; image/jpeg jpg; image/webp webp;
          video/mp4 m4s; application/json json; }}
  default_type application/octet-stream;
  sendfile on; tcp_nopush on; gzip_comp_level 1; gzip_min_length 500;
  gzip_types text/css text/javascript application/json;
  client_max_body_size 32m; server_names_hash_bucket_size 128;
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_read_timeout 90s;
"""

# What every site can do, whoever it is.
PATHS = """\
    location = / {{ try_files /p0.html =404; }}
    location ^~ /made/ {{ internal; alias {pages}/; }}
    location /upload {{ proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_pass {backend}; }}
    location ~ ^/(search|login|poll|api|error) {{ proxy_pass {backend}; }}
    location /events {{ proxy_buffering off; proxy_pass {backend}; }}
    location /ws {{
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_pass {backend};
    }}
    location = /generate_204 {{ return 204; }}
    location = /update.json {{ default_type application/json; return 200 '{{"latest": "4.2.1", "build": 90210}}'; }}
"""
THINK = """\
    location ~ \\.html$ {{ proxy_set_header X-Think-Ms {think_ms}; proxy_pass {backend}; }}
"""


def server(
    site: Site,
    folder: Path,
    listen: tuple[str, str],
    certificate: tuple[Path, Path],
    more: str = "",
) -> str:
    """Return the server blocks of one site.

    `listen` is its IPv4 address ("*" for any) and its IPv6 address, `certificate` chain and key,
    `more` further directives within the server. Its pages lie in `folder`/pages/NAME.
    """
    pages, backend = folder / "pages" / site.name, f"http://unix:{folder}/backend.sock:"
    protocol = " ssl http2" if site.http2 else " ssl"
    plain = "".join(f"    listen {address}:80;\n" for address in listen)
    secure = "".join(f"    listen {address}:443{protocol};\n" for address in listen)
    inner = [f"    server_name {site.name}; root {pages}; keepalive_timeout {site.keepalive_s}s;"]
    inner += [f"    ssl_certificate {certificate[0]}; ssl_certificate_key {certificate[1]};"]
    inner += [f"    ssl_protocols {VERSIONS[site.versions]}; gzip {'on' if site.gzip else 'off'};"]
    inner += [f"    location /files/ {{ limit_rate {site.limit_kb}k; }}"] if site.limit_kb else []
    body = "\n".join(inner) + "\n" + PATHS.format(pages=pages, backend=backend) + more
    if site.think_ms:
        body += THINK.format(think_ms=site.think_ms, backend=backend)
    if not site.redirect:
        return f"  server {{\n{plain}{secure}{body}  }}\n"
    moved = f"    server_name {site.name}; location = /generate_204 {{ return 204; }}\n"
    moved += "    location / { return 301 https://$host$request_uri; }\n"
    return f"  server {{\n{plain}{moved}  }}\n  server {{\n{secure}{body}  }}\n"


def configure(folder: Path, servers: Sequence[str]) -> Path:
    """Write the configuration of one nginx with these servers; return its path."""
    path = folder / "nginx.conf"
    path.write_text(HEAD.format(folder=folder) + "".join(servers) + "}\n")
    return path


def commands(folder: Path, seed: int) -> list[list[str]]:
    """Return the programs of one web server: the backend, and nginx as soon as that is there."""
    python = ["env", f"PYTHONPATH={SOURCE_TREE}", sys.executable, "-S", "-m", "training.testbed.web.backend"]
    socket = folder / "backend.sock"
    wait = f"until [ -S {socket} ]; do sleep 0.05; done; exec nginx -c {folder}/nginx.conf"
    return [[*python, str(socket), str(folder / "users.json"), str(seed)], ["sh", "-c", wait]]
