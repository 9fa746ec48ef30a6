"""What sites are drawn to be like."""

import random
import statistics
from pathlib import Path

import pytest

from training.testbed.web.catalogue import Site, drawn, size, web_of

NAMES = [f"www.site{place:02d}.test" for place in range(1, 25)]


def test_the_same_seed_draws_the_same_web_and_another_seed_another():
    assert web_of(random.Random(3), NAMES) == web_of(random.Random(3), NAMES)
    assert web_of(random.Random(3), NAMES) != web_of(random.Random(4), NAMES)


def test_a_catalogue_survives_its_file(tmp_path: Path):
    site = web_of(random.Random(5), NAMES)[0]
    site.save(tmp_path)
    assert Site.load(tmp_path, site.name) == site
    with pytest.raises(FileNotFoundError):
        Site.load(tmp_path, "www.site99.test")


def test_every_object_of_a_page_is_a_file_of_the_site_that_it_names():
    sites = {site.name: site for site in web_of(random.Random(6), NAMES)}
    for site in sites.values():
        for page in site.pages:
            assert {page.path, *page.own} <= set(site.sizes)
            assert all(path in sites[other].sizes and other != site.name for other, path in page.foreign)
    assert any(page.foreign for site in sites.values() for page in site.pages)


def test_sites_differ_in_every_habit():
    sites = web_of(random.Random(7), NAMES)
    for habit in ("http2", "versions", "redirect", "gzip", "keepalive_s", "rsa", "names"):
        assert len({getattr(site, habit) for site in sites}) > 1, habit
    assert 0 < sum(site.think_ms > 0 for site in sites) < len(sites)


def test_sizes_are_skewed_and_within_bounds():
    rng = random.Random(8)
    sizes = [size(rng, 14e3, 1.3, 2_000, 400_000) for _ in range(2_000)]
    assert min(sizes) == 2_000 and max(sizes) == 400_000
    assert statistics.mean(sizes) > 1.5 * statistics.median(sizes)


def test_files_come_smallest_first_and_a_video_has_every_segment_in_every_quality():
    site = drawn(random.Random(9), "www.site01.test", 3)
    sizes = [site.sizes[path] for path in site.files]
    assert len(sizes) == 12 and sizes == sorted(sizes) and sizes[-1] <= 20_000_000
    means = [statistics.mean(site.sizes[path] for path in site.segments(quality)) for quality in range(3)]
    assert means == sorted(means)
