"""The cast of a recording: the kinds of acts that a profile asks for, and all that those need."""

from collections.abc import Mapping
from dataclasses import dataclass

from sensor.errors import NettrusionError
from training.testbed import network, registry
from training.testbed.acts import Kind
from training.testbed.enclosure import NAT_TOOLS, TOOLS
from training.testbed.service import Service
from training.testbed.settings import Profile, verify

ALWAYS = ("dns", "updns")
"""Services that everybody needs, for all programs resolve names."""
OTHER_TOOLS = {"cc": "gcc", "tshark": "tshark"}


@dataclass(frozen=True, slots=True)
class Cast:
    """What a profile brings onto the stage: its kinds of acts and the services that those need."""

    kinds: Mapping[str, Kind]
    services: Mapping[str, Service]

    @property
    def needs(self) -> dict[str, str]:
        """Each program that any of them needs, with the Debian package that brings it."""
        found: dict[str, str] = {}
        for kind in self.kinds.values():
            found |= kind.needs
        for service in self.services.values():
            found |= service.needs
        return found


def cast(profile: Profile) -> Cast:
    """Return a profile's cast.

    Raises NettrusionError for kinds, settings or hosts that there are not, and when nobody does anything.
    """
    known, services = registry.kinds(), registry.services()
    hosts = network.build(profile.network).hosts
    verify(profile, {name: kind.settings for name, kind in known.items()}, hosts)
    if not profile.kinds:
        raise NettrusionError(f"profile {profile.name}: nobody does anything; give a role kinds, or add attacks")
    chosen = {name: known[name] for name in sorted(profile.kinds)}
    wanted = {*registry.needed(chosen.values(), services), *ALWAYS}
    return Cast(chosen, {name: service for name, service in services.items() if name in wanted})


def needs(profile: Profile) -> dict[str, str]:
    """Return each program that a recording of the profile needs, with its Debian package."""
    more = NAT_TOOLS if profile.network.get("nat") else {}
    return {**TOOLS, **OTHER_TOOLS, **more, **cast(profile).needs}
