"""What nginx is told, and whether it understands it."""

import random
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from training.testbed.web import certificates, nginx
from training.testbed.web.catalogue import drawn

SITE = drawn(random.Random(1), "www.site01.test", 2)
PAIR = (Path("chain.pem"), Path("key.pem"))


def told(**habits: object) -> str:
    return nginx.server(replace(SITE, **habits), Path("/x"), ("10.0.0.1", "[fd00::1]"), PAIR)  # type: ignore[arg-type]


def test_a_site_that_insists_on_https_answers_plain_http_with_nothing_else():
    plain, secure = told(redirect=True).split("  server {\n")[1:]
    assert "listen 10.0.0.1:80;" in plain and "return 301 https://" in plain and "root" not in plain
    assert "listen [fd00::1]:443 ssl" in secure and ":80;" not in secure
    assert told(redirect=False).count("server {") == 1


def test_habits_become_directives():
    assert "listen 10.0.0.1:443 ssl http2;" in told(http2=True)
    assert "http2" not in told(http2=False)
    assert "ssl_protocols TLSv1.2;" in told(versions="1.2") and "TLSv1.2 TLSv1.3;" in told(versions="both")
    assert "X-Think-Ms 70.5;" in told(think_ms=70.5) and "X-Think-Ms" not in told(think_ms=0.0)
    assert "limit_rate 300k;" in told(limit_kb=300) and "limit_rate" not in told(limit_kb=0)


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_nginx_takes_the_configuration(tmp_path: Path):
    certificates.authority(tmp_path / "tls")
    pair = certificates.issue(tmp_path / "tls", [SITE.name])
    site = replace(SITE, redirect=True, think_ms=5.0, limit_kb=10, gzip=True)
    path = nginx.configure(tmp_path, [nginx.server(site, tmp_path, ("127.0.0.1", "[::1]"), pair)])
    done = subprocess.run(["nginx", "-t", "-c", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_nginx_waits_for_the_backend(tmp_path: Path):
    backend, server = nginx.commands(tmp_path, seed=4)
    assert backend[-3:] == [str(tmp_path / "backend.sock"), str(tmp_path / "users.json"), "4"]
    assert f"until [ -S {tmp_path}/backend.sock ]" in server[-1] and "exec nginx" in server[-1]
