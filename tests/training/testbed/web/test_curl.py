"""How curl is asked."""

import threading
from pathlib import Path

import pytest

from tests.training.testbed.web.sites import Paper, catalogued
from training.testbed.acts import Kind
from training.testbed.web.curl import PageTurns, Visit, authority, into_nothing, load, visit
from training.testbed.world import World

KIND = Kind("any", "benign", lambda stage: None)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return catalogued(tmp_path)


def seen(world: World, folder: Path, at: str = "desk", seed: int = 1, **wish: object) -> Visit:
    return visit(Paper(world, KIND, folder, at, seed), **wish)  # type: ignore[arg-type]


def test_the_same_random_numbers_give_the_same_visit(world: World, tmp_path: Path):
    assert seen(world, tmp_path, seed=5) == seen(world, tmp_path, seed=5)
    assert len({seen(world, tmp_path, seed=seed).words for seed in range(20)}) == 20


def test_wishes_are_met(world: World, tmp_path: Path):
    for seed in range(12):
        assert seen(world, tmp_path, seed=seed, own=True).site.name == "web.home.test"
        assert seen(world, tmp_path, seed=seed, own=False, plain=True).base.startswith("http://www.site")
        assert seen(world, tmp_path, seed=seed, like=lambda site: site.http2).site.http2
        assert "--compressed" not in seen(world, tmp_path, seed=seed, machine=True).words


def test_some_sites_are_visited_more_than_others(world: World, tmp_path: Path):
    visits = [seen(world, tmp_path, seed=seed, own=False).site.name for seed in range(200)]
    first, last = (
        sum(name in {site.name for site in part} for name in visits) for part in (world.sites[:6], world.sites[-6:])
    )
    assert first > 2 * last > 0


def test_who_is_outside_visits_the_house_from_each_of_its_addresses(world: World, tmp_path: Path):
    visits = [seen(world, tmp_path, at="bots", seed=seed) for seed in range(60)]
    assert {each.site.name for each in visits} == {"web.home.test"}
    used = {each.words[each.words.index("--interface") + 1] for each in visits}
    bots = world.host("bots")
    assert set(bots.all_v4) <= used | set(bots.all_v6) and len(used & set(bots.all_v4)) > 8


def test_a_site_that_insists_on_https_has_its_objects_there(world: World, tmp_path: Path):
    for seed in range(30):
        one = seen(world, tmp_path, seed=seed, plain=True)
        assert one.settled.startswith("https" if one.site.redirect else "http:")
        words = one.objects(["/a", "/b"], [("www.site02.test", "/c")])
        assert words[2] == one.settled + "{/a,/b}" and words[5].endswith("://www.site02.test/c")


def test_the_trusted_certificate_is_that_of_the_server(world: World):
    assert authority(world, load(world, "web")) == world.folder("web") / "tls" / "root.pem"
    assert authority(world, load(world, "www.site03.test")) == world.folder("sites") / "tls" / "root.pem"


def test_nothing_is_kept():
    assert into_nothing(["http://a/", "http://b/"]) == ["-o", "/dev/null", "http://a/", "-o", "/dev/null", "http://b/"]


def test_a_page_is_turned_when_its_pause_is_over(world: World, tmp_path: Path):
    stage, turns = Paper(world, KIND, tmp_path), PageTurns(tmp_path)
    pipes = [Path(turns.next()[2].removeprefix("file://")) for _ in range(2)]
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.extend(pipe.read_bytes() for pipe in pipes))
    reader.start()
    turns.turn(stage, [1.5, 2.0])
    reader.join(10)
    assert read == [b"", b""] and stage.paused_s >= 3.5


def test_a_curl_that_has_gone_turns_no_page(world: World, tmp_path: Path):
    stage, turns = Paper(world, KIND, tmp_path), PageTurns(tmp_path)
    turns.next()
    turns.turn(stage, [100.0], limit_s=0.01)
    assert stage.paused_s < 1e4 and 100.0 not in (stage.paused_s,)
