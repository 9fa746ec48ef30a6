"""All kinds of acts and all services there are, collected from their packages by name."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any, Protocol, TypeVar

from training.testbed.acts import Kind
from training.testbed.service import Service

KIND_PACKAGES = ("training.testbed.people", "training.testbed.attackers")
SERVICE_PACKAGES = ("training.testbed.services",)


class Named(Protocol):
    """What has a name of its own."""

    @property
    def name(self) -> str:
        """The name."""
        ...


Item = TypeVar("Item", bound=Named)


def kinds() -> dict[str, Kind]:
    """Return all kinds of acts by name, in the order of their names."""
    return _by_name((module, kind) for module in _modules(KIND_PACKAGES) for kind in _offered(module, "KINDS"))


def services() -> dict[str, Service]:
    """Return all services by name, in the order of their names."""
    return _by_name(
        (module, service) for module in _modules(SERVICE_PACKAGES) for service in _offered(module, "SERVICES")
    )


def needed(asked: Iterable[Kind], known: Mapping[str, Service]) -> dict[str, Service]:
    """Return the services that some kinds need, by name; ValueError for one that there is not."""
    wanted = {(name, kind.name) for kind in asked for name in kind.services}
    for name, kind in sorted(wanted):
        if name not in known:
            raise ValueError(f"kind {kind} needs a service {name!r} that there is not")
    names = {name for name, _ in wanted}
    return {name: service for name, service in known.items() if name in names}


def _modules(packages: Iterable[str]) -> Iterator[ModuleType]:
    for package in packages:
        path = importlib.import_module(package).__path__
        for found in sorted(pkgutil.iter_modules(path), key=lambda found: found.name):
            yield importlib.import_module(f"{package}.{found.name}")


def _offered(module: ModuleType, name: str) -> tuple[Any, ...]:
    offered = getattr(module, name, ())
    return tuple(offered)


def _by_name(found: Iterable[tuple[ModuleType, Item]]) -> dict[str, Item]:
    """Return the items by name; ValueError for a name that two modules give away."""
    items: dict[str, Item] = {}
    places: dict[str, str] = {}
    for module, item in found:
        if item.name in items:
            raise ValueError(f"{module.__name__} and {places[item.name]} both have a {item.name!r}")
        items[item.name] = item
        places[item.name] = module.__name__
    return dict(sorted(items.items()))
