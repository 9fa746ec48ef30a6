"""Web attacks: what is asked for."""

from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.training.testbed.attackers.acting import of, option, rehearsed
from training.testbed.attackers.webscan import KINDS, LISTS, PAYLOADS, PLACES

SEARCH, PROBES, INJECT, LOOK = (of(KINDS, name) for name in ("page-search", "web-probes", "sql-injection", "web-look"))


@pytest.mark.skipif(not LISTS.is_dir(), reason="the word lists of the Debian package dirb are not here")
@pytest.mark.parametrize("tool", SEARCH.needs)
def test_pages_are_looked_for_by_a_sample_of_a_list(tool: str, tmp_path: Path):
    stage = rehearsed(SEARCH, tmp_path, tool=tool, requests=50)
    words = (stage.folder / "words").read_text().split()
    assert 20 < len(words) <= 200 and set(words) <= set((LISTS / "common.txt").read_text(errors="replace").split())
    assert stage.commands[0][0] == tool and "10.77.9.10" in " ".join(stage.commands[0]) + (
        (stage.folder / "probes").read_text() if tool == "curl" else ""
    )


def test_payloads_go_where_pages_take_words(tmp_path: Path):
    for sort, payloads in PAYLOADS.items():
        text = Path(option(rehearsed(PROBES, tmp_path, payloads=sort).commands[0], "-K")).read_text()
        urls = [line.split('"')[1].removeprefix("http://10.77.9.10") for line in text.splitlines() if "url =" in line]
        assert len(urls) > 10 and all(url.startswith(PLACES) for url in urls)
        shapes = {"".join(c for c in payload if c.isalpha()) for payload in payloads}
        sent = {"".join(c for c in unquote(url.split("=", 1)[-1].split("?", 1)[-1]) if c.isalpha()) for url in urls}
        assert sent & shapes


def test_the_injection_is_mild_and_leaves_nothing_outside_its_folder(tmp_path: Path):
    stage = rehearsed(INJECT, tmp_path, dump=True)
    (words,) = stage.commands
    assert option(words, "--level") == "1" and option(words, "--risk") == "1" and "--batch" in words
    assert option(words, "--output-dir") == str(stage.folder) and option(words, "-T") == "staff"


def test_looking_has_three_tools(tmp_path: Path):
    tools = {rehearsed(LOOK, tmp_path, seed).commands[0][0] for seed in range(20)}
    assert tools == {"whatweb", "sslscan", "nmap"}
    assert option(rehearsed(LOOK, tmp_path, tool="nmap", scripts="http-enum").commands[0], "--script") == "http-enum"
