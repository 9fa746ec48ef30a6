"""The registry: everything there is, by name, and nothing twice."""

import random
from types import ModuleType

import pytest

from tests.training.testbed.stages import kind
from training.testbed import registry
from training.testbed.acts import LABELS
from training.testbed.network import build
from training.testbed.service import Service


def module(name: str, **offered: object) -> ModuleType:
    made = ModuleType(name)
    for key, value in offered.items():
        setattr(made, key, value)
    return made


def service(name: str) -> Service:
    return Service(name, "web", lambda world, rng: None, lambda world: [])


def test_every_kind_has_a_label_limits_that_hold_it_and_services_that_there_are():
    known = registry.services()
    for name, one in registry.kinds().items():
        assert name == one.name
        assert one.label in LABELS
        assert 0.0 < one.lasts_s <= one.limit_s <= 900.0, name
        assert set(registry.needed([one], known)) == set(one.services)


def test_every_service_runs_on_a_host_of_the_world():
    world = build()
    assert {one.host for one in registry.services().values()} <= set(world.hosts)


def test_people_are_benign_and_attackers_are_not():
    labels = {name: one.label for name, one in registry.kinds().items()}
    people = [one for package in registry._modules(registry.KIND_PACKAGES[:1]) for one in getattr(package, "KINDS", ())]
    assert people and {one.label for one in people} == {"benign"}
    assert {label for name, label in labels.items() if name not in {one.name for one in people}} <= {*LABELS} - {
        "benign"
    }


def test_a_name_that_two_modules_give_is_refused_with_both(monkeypatch: pytest.MonkeyPatch):
    twice = [module("one", KINDS=(kind("page", print),)), module("two", KINDS=[kind("page", print)]), module("three")]
    monkeypatch.setattr(registry, "_modules", lambda packages: iter(twice))
    with pytest.raises(ValueError, match="two and one both have a 'page'"):
        registry.kinds()
    monkeypatch.setattr(registry, "_modules", lambda packages: iter(twice[:1]))
    assert list(registry.kinds()) == ["page"]


def test_needed_services_are_those_that_the_kinds_name():
    known = {name: service(name) for name in ("web", "dns", "mail")}
    assert list(registry.needed([kind("page", print, services=("dns", "web"))], known)) == ["web", "dns"]
    with pytest.raises(ValueError, match="kind page needs a service 'gopher'"):
        registry.needed([kind("page", print, services=("gopher",))], known)
    known["web"].furnish(build(), random.Random(1))
