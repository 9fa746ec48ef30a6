"""Pages and files on disk."""

import random
from dataclasses import replace
from pathlib import Path

from training.testbed.web.catalogue import Page, drawn
from training.testbed.web.files import html, text, write


def test_every_path_is_a_file_of_its_size(tmp_path: Path):
    site = drawn(random.Random(1), "www.site01.test", 2)
    write(site, tmp_path, random.Random(2))
    for path, size in site.sizes.items():
        assert (tmp_path / path.lstrip("/")).stat().st_size == size, path


def test_what_is_packed_anyway_takes_no_room(tmp_path: Path):
    site = replace(drawn(random.Random(1), "www.site01.test", 1), pages=(), sizes={"/files/0.bin": 20_000_000})
    write(site, tmp_path, random.Random(2))
    assert (tmp_path / "files" / "0.bin").stat().st_blocks * 512 < 100_000


def test_a_page_loads_its_objects_by_their_kind():
    page = Page("/p0.html", ("/c/0.css", "/c/0.js", "/i/0.png"), (("www.site02.test", "/i/1.jpg"),))
    made = html(page, b"words " * 1_000, 3_000).decode()
    assert len(made) == 3_000
    assert '<link rel="stylesheet" href="/c/0.css">' in made and '<script src="/c/0.js">' in made
    assert '<img src="/i/0.png"' in made and '<img src="//www.site02.test/i/1.jpg"' in made


def test_text_is_as_long_as_asked_for():
    assert [len(text(random.Random(1), size)) for size in (0, 10, 9_999)] == [0, 10, 9_999]
