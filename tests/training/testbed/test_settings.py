"""Profiles: read strictly, one on top of another, held against what there is."""

from pathlib import Path

import pytest

from sensor.errors import NettrusionError
from training.testbed import registry, settings
from training.testbed.network import build
from training.testbed.settings import Attack, Doing, load, verify

TEXT = """
begins = 2026-03-02T09:30:00
hours = 2
minutes = 1.5
seed = 4
network = { shift = 20, hosts.desk.delay_ms = 3.0 }

[roles.person]
hosts = ["desk", "laptop"]
count = 2
present = "45m"
curve = [0,0,0,0,0,0,0,0,1,1,1,1,0.5,1,1,1,1,0,0,0,0,0,0,0]
[roles.person.kinds]
browse = 6
mail = "5m"
upload = { per_hour = 0.5, settings = { size = 9 } }

[[attacks]]
kind = "beacon"
host = "laptop"
between = ["10m", "1.5h"]
every = "90s"
count = 12
jitter = 0.3
"""


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """Return a profile's file."""
    path = tmp_path / "mine.toml"
    path.write_text(TEXT)
    return path


def changed(path: Path, old: str, new: str) -> str:
    """Write the profile with a change and return its path."""
    assert old in TEXT
    path.write_text(TEXT.replace(old, new, 1))
    return str(path)


def test_every_key_is_read_with_its_unit(profile: Path):
    made = load(str(profile))
    assert (made.name, made.seed, made.hours, made.minutes) == ("mine", 4, 2.0, 1.5)
    assert made.begins_ns == 1_772_443_800 * 10**9
    assert made.network == {"shift": 20, "hosts": {"desk": {"delay_ms": 3.0}}}
    person = made.roles["person"]
    assert (person.hosts, person.count, person.present_s, person.absent_s) == (("desk", "laptop"), 2, 2700.0, 900.0)
    assert (person.rhythm, person.curve[8], person.curve[12]) == ("people", 1.0, 0.5)
    assert person.kinds == {
        "browse": Doing(per_hour=6.0),
        "mail": Doing(every_s=300.0),
        "upload": Doing(per_hour=0.5, settings={"size": 9}),
    }
    assert made.attacks == (Attack("beacon", "laptop", between_s=(600.0, 5400.0), every_s=90.0, count=12, jitter=0.3),)
    assert made.kinds == {"browse", "mail", "upload", "beacon"}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("hours = 2", "hous = 2", "unknown key hous; did you mean hours?"),
        ("hours = 2", 'hours = "two"', "hours: expected float, found 'two'"),
        ("hours = 2", "hours = 0", "hours and minutes are positive"),
        ("seed = 4", "seed = true", "seed: expected int, found True"),
        ("2026-03-02T09:30:00", '"monday"', "begins: expected a date and time"),
        ('"45m"', '"45 min"', "present: expected a duration"),
        ("[0,0,", "[0,", "curve: expected 24 weights"),
        ("[0,0,", "[-1,0,", "curve: expected 24 weights"),
        ('"5m"', "true", "mail: per_hour: expected float, found True"),
        ("per_hour = 0.5", "per_our = 0.5", "upload: unknown key per_our; did you mean per_hour?"),
        ('["10m", "1.5h"]', '["10m", "5m"]', "between: expected two durations"),
        ('kind = "beacon"', 'knid = "beacon"', "attacks 1: unknown key knid; did you mean kind?"),
        ("count = 2", "count = 2\nrhythm = 'wild'", "rhythm: expected people or machines"),
        ("hosts = [", "hosts = [1,", "hosts: expected a list"),
        ("[roles.person]", "[roles.person", "not TOML"),
        ("hours = 2", "hours = 2\nbase = 3", "base: expected the name of a profile"),
        ("hours = 2", "hours = 2\nbase = 'bref'", "no profile bref; did you mean brief?"),
    ],
)
def test_what_is_wrong_is_named_with_file_key_and_remedy(profile: Path, old: str, new: str, says: str):
    with pytest.raises(NettrusionError) as raised:
        load(changed(profile, old, new))
    assert says in str(raised.value)
    assert "mine.toml" in str(raised.value) or "no profile" in says


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(NettrusionError, match=r"nowhere\.toml: No such file"):
        load("nowhere.toml")


def test_a_profile_stands_above_its_base(profile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settings, "folder", lambda: tmp_path)
    above = tmp_path / "above.toml"
    above.write_text(
        'base = "mine"\nhours = 3\n[network]\nnat = true\nhosts.desk.loss = 0.1\n[roles.person.kinds]\nbrowse = 0\n'
        '[roles.person.kinds.upload]\nsettings = { name = "x" }\n[[attacks]]\nkind = "flood"\nhost = "bots"\n'
    )
    base, made = load("mine"), load("above")
    assert (made.name, made.hours, made.minutes, made.seed) == ("above", 3.0, 1.5, 4)
    assert made.network == {"shift": 20, "nat": True, "hosts": {"desk": {"delay_ms": 3.0, "loss": 0.1}}}
    assert made.roles["person"].kinds["upload"] == Doing(per_hour=0.5, settings={"size": 9, "name": "x"})
    assert made.roles["person"].kinds["mail"] == base.roles["person"].kinds["mail"]
    assert made.roles["person"].present_s == 2700.0
    assert made.attacks == (Attack("flood", "bots"),)
    assert made.kinds == {"mail", "upload", "flood"}


KINDS = {"browse": {}, "mail": {}, "upload": {"size": 1}, "beacon": {}}
HOSTS = ("desk", "laptop")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("browse = 6", "browze = 6", "no kind browze; did you mean browse?"),
        ("{ size = 9 }", "{ sise = 9 }", "upload has no setting sise; did you mean size?"),
        ('host = "laptop"', 'host = "labtop"', "beacon: no host labtop; did you mean laptop?"),
        ('["desk", "laptop"]', '["dsk"]', "no host dsk; did you mean desk?"),
    ],
)
def test_a_profile_is_held_against_kinds_settings_and_hosts(profile: Path, old: str, new: str, says: str):
    verify(load(str(profile)), KINDS, HOSTS)
    with pytest.raises(NettrusionError) as raised:
        verify(load(changed(profile, old, new)), KINDS, HOSTS)
    assert says in str(raised.value)


@pytest.mark.parametrize("name", settings.names())
def test_the_profiles_that_come_along_hold(name: str):
    profile = load(name)
    known = {kind.name: kind.settings for kind in registry.kinds().values()}
    verify(profile, known, build(profile.network).hosts)
