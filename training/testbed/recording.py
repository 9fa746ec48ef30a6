"""Record a profile: network, servers, plan, play, capture, truth, and the files that stay."""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sensor.errors import NettrusionError
from training.testbed import evidence, labels, manifest, network, packets, retime, sockets
from training.testbed.capture import Capture, Heard
from training.testbed.casting import Cast, cast, needs
from training.testbed.enclosure import furnish
from training.testbed.labels import Played, Story
from training.testbed.nat import Translation
from training.testbed.plan import plan
from training.testbed.play import Outcome, Play
from training.testbed.programs import Programs, Run, Surprise
from training.testbed.serving import Served, fallen, serve
from training.testbed.settings import Profile
from training.testbed.world import RUN, World

SETTLE_S = 1.5
"""How long the capture goes on when the last act has ended: goodbyes are under way."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Raw:
    """What is left when a play is over: outcome, programs, servers, packets and sockets in real time."""

    outcome: Outcome
    runs: Mapping[int, Run]
    surprises: Sequence[Surprise]
    served: Sequence[Served]
    heard: Sequence[Heard]
    translations: Sequence[Translation]
    losses: Mapping[str, int]
    log: Path
    snap_bytes: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a recording's files go."""

    folder: Path
    name: str

    @property
    def files(self) -> dict[str, Path]:
        """The files by part."""
        return {part: self.folder / f"{self.name}.{suffix}" for part, suffix in manifest.PARTS.items()}


def record(profile: Profile, seed: int, folder: Path, name: str, tell: Tell) -> dict[str, Any]:
    """Record into FOLDER/NAME.pcap.gz, .labels.csv, .sockets.csv.gz and .manifest.json; return the manifest.

    Works only inside `enclosure.enclose`. Raises NettrusionError when a service does not come up,
    when packets were lost, or when a conversation cannot be labelled without doubt.
    """
    company = cast(profile)
    world = network.build(profile.network, seed)
    folder.mkdir(parents=True, exist_ok=True)
    furnish(world, keep=[folder])
    raw = perform(profile, company, world, seed, tell)
    told = story(raw, company, world)
    try:
        document = describe(raw, told, Place(folder, name), tell)
    except NettrusionError as problem:
        left = folder / f"{name}.failed"
        keep(raw, told, world, left)
        raise NettrusionError(f"{problem} The packets and the socket log are in {left}.") from problem
    document = {
        "format": manifest.FORMAT,
        "command": f"nettrusion testbed run {profile.name} --seed {seed} --name {name} -o DIR",
        "seed": seed,
        "profile": asdict(profile),
        "network": manifest.drawn(world),
        "versions": manifest.versions(needs(profile).values()),
        **document,
    }
    (folder / f"{name}.manifest.json").write_text(manifest.dump(document), encoding="ascii")
    return document


def describe(raw: Raw, told: Story, place: Place, tell: Tell) -> dict[str, Any]:
    """Label what was recorded, move it to virtual time, write the files, hear the witnesses; return the facts.

    Raises NettrusionError when a conversation has no one owner or when a witness contradicts.
    """
    capture = packets.load(*(heard.path for heard in raw.heard))
    tell(f"{len(raw.outcome.played)} acts played by {len(raw.runs)} programs; {len(capture)} packets to label")
    lines = sockets.translated(sockets.read(raw.log), raw.translations, told.addresses_of_runs)
    rows = labels.label(capture, lines, told)
    tell(f"{len(rows)} conversations labelled; the files are written and the witnesses heard")
    settled = retime.settle(capture, rows, lines, told)
    files = place.files
    written = retime.write_capture(files["capture"], settled, snap_bytes=raw.snap_bytes)
    labels.write(files["labels"], settled.rows)
    sockets.write(files["sockets"], settled.lines)
    witnesses = evidence.servers(rows, *logs(raw.served, told)) | evidence.tshark(files["capture"], settled.rows)
    return {
        "capture": {
            **manifest.described(files["capture"]),
            **written,
            "dropped": sum(heard.dropped for heard in raw.heard),
            "lost_on_links": dict(raw.losses),
        },
        "labels": {**manifest.described(files["labels"]), "conversations": manifest.counted(settled.rows)},
        "sockets": manifest.described(files["sockets"]),
        "services": manifest.services(settled.story),
        "left_out": dict(sorted(raw.outcome.left_out.items())),
        "cut": raw.outcome.cut,
        "surprises": [asdict(one) for one in raw.surprises],
        "notes": settled.notes,
        "witnesses": witnesses,
        "acts": [asdict(act) for act in settled.story.acts.values()],
        "runs": [asdict(run) for run in settled.story.runs.values()],
    }


def keep(raw: Raw, told: Story, world: World, folder: Path) -> None:
    """Leave a recording that cannot be labelled in a folder: raw captures, socket log, acts and runs."""
    folder.mkdir(exist_ok=True)
    for path in (raw.log, *(heard.path for heard in raw.heard)):
        shutil.copyfile(path, folder / path.name)
    document = {
        "network": manifest.drawn(world),
        "services": manifest.services(told),
        "acts": [asdict(act) for act in told.acts.values()],
        "runs": [asdict(run) for run in told.runs.values()],
        "surprises": [asdict(one) for one in raw.surprises],
    }
    (folder / "story.json").write_text(manifest.dump(document), encoding="ascii")


def perform(profile: Profile, company: Cast, world: World, seed: int, tell: Tell) -> Raw:
    """Play the profile in the network and capture it; nothing of it runs afterwards."""
    acts = plan(profile, seed)
    shim, log = sockets.build(RUN), RUN / "sockets.csv"
    base = dict(os.environ)

    def environment(run: int) -> dict[str, str]:
        return {**base, **sockets.environment(shim, log, run)}

    with network.Network(world, seed) as net:
        programs = Programs(net.enter, environment)
        with closing(programs):
            served = serve(company.services.values(), world, net, programs, seed)
            tell(f"{len(served)} services are ready; {len(acts)} acts are planned for {profile.hours:g} hours")
            with Capture(net.capture_links(), RUN / "capture", profile.snap_bytes) as capture:
                outcome = Play(profile, company.kinds, world, programs, tell).run(acts)
                heard = capture.stop(SETTLE_S)
            for one in fallen(served):
                programs.note(one)
            translations, losses = net.translations(), net.losses()
        runs = {run.run: run for run in programs.runs()}
    return Raw(outcome, runs, programs.surprises, served, heard, translations, losses, log, profile.snap_bytes)


def story(raw: Raw, company: Cast, world: World) -> Story:
    """Return who did what in a play, for the labels."""
    acts = {
        one.act.number: Played(
            act=one.act.number,
            kind=one.act.kind,
            label=company.kinds[one.act.kind].label,
            host=one.act.host,
            start_ns=one.act.virtual_start_ns,
            real_ns=one.start_ns,
            end_ns=one.act.virtual_start_ns + one.end_ns - one.start_ns,
            settings=one.act.settings,
        )
        for one in raw.outcome.played
    }
    services = {run.number: one.service.name for one in raw.served for run in one.programs}
    return Story(acts, raw.runs, services, manifest.addresses(world))


def logs(served: Iterable[Served], told: Story) -> tuple[dict[str, list[Path]], dict[Path, frozenset[str]]]:
    """Return the services' own logs, for the second witness, and the addresses of each log's host."""
    found: dict[str, list[Path]] = {}
    hosts: dict[Path, frozenset[str]] = {}
    for one in served:
        paths = [RUN / one.service.name / log for log in one.service.logs]
        found[one.service.name] = [path for path in paths if path.is_file()]
        hosts |= dict.fromkeys(found[one.service.name], told.addresses[one.service.host])
    return found, hosts
