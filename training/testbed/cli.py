"""`nettrusion testbed`: record labelled traffic of our own, made by real programs, and prove the labels."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensor.errors import NettrusionError

if TYPE_CHECKING:
    from training.testbed.settings import Profile

SUMMARY = "record labelled traffic: a small network of real programs, benign and attacking"
DAYS = ("monday", "tuesday", "wednesday")
SPARE_S = 900.0
"""Set-up, labelling and taking down, beside the play itself and twice as much again for what it leaves to label."""
MOST_SURPRISES = 8


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `nettrusion testbed`."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="run|days|check|plan|list|packages")
    _recorder(verbs.add_parser("run", help="record a profile; needs root", description=_doc(_run)))
    days = verbs.add_parser("days", help="record several profiles, one after the other", description=_doc(_days))
    days.add_argument("profiles", nargs="*", metavar="PROFILE", help=f"default: {' '.join(DAYS)}")
    _output(days)
    check = verbs.add_parser("check", help="prove a recording's labels", description=_doc(_check))
    check.add_argument("manifest", type=Path, help="NAME.manifest.json, the recording's other files beside it")
    plan = verbs.add_parser("plan", help="count the acts of a profile's plan", description=_doc(_plan))
    _profile(plan)
    verbs.add_parser("list", help="profiles, and all kinds of acts", description=_doc(_list))
    packages = verbs.add_parser("packages", help="what to give to apt-get install", description=_doc(_packages))
    packages.add_argument("profiles", nargs="+", metavar="PROFILE")


def run(args: argparse.Namespace) -> int:
    """Do what the verb says; returns 0. Raises NettrusionError with what is wrong."""
    verbs = {"run": _run, "days": _days, "check": _check, "plan": _plan, "list": _list, "packages": _packages}
    return verbs[args.verb](args)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what `run` starts within the recording's own namespaces; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.testbed", description=main.__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    _recorder(verbs.add_parser("enclosed", description="Record a profile within its namespaces."))
    args = parser.parse_args(arguments)
    try:
        return _enclosed(args)
    except NettrusionError as error:
        print(f"testbed: {error}", file=sys.stderr)
        return error.exit_code


def _recorder(parser: argparse.ArgumentParser) -> None:
    _profile(parser)
    _output(parser)
    parser.add_argument("--name", default="", help="the files' name (default: the profile's)")


def _profile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("profile", help="one of `nettrusion testbed list`, or a TOML file")
    parser.add_argument("--seed", type=int, help="another plan, other contents and passwords (default: the profile's)")
    parser.add_argument("--minutes", type=float, help="real minutes for the play; what does not fit is left out")
    parser.add_argument(
        "--nat", action="store_true", help="the hosts inside share one address, as behind a home's router"
    )


def _output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder, made if missing")


def _run(args: argparse.Namespace) -> int:
    """Record a profile into DIR/NAME.pcap.gz, its labels, its socket log and its manifest."""
    profile = _chosen(args)
    return _record(profile, args, args.name or profile.name)


def _days(args: argparse.Namespace) -> int:
    """Record the days one after the other, each with its own seed, into DIR."""
    args.seed, args.minutes, args.nat, args.name = None, None, False, ""
    for name in args.profiles or DAYS:
        args.profile = name
        if code := _record(_chosen(args), args, Path(name).stem):
            return code
    return 0


def _check(args: argparse.Namespace) -> int:
    """Label a recording anew from its capture and its socket log and compare; needs no root."""
    from training.testbed import manifest

    _summarize(manifest.check(args.manifest))
    print("the labels follow from the capture, the socket log and the acts")
    return 0


def _plan(args: argparse.Namespace) -> int:
    """Print how many acts of each kind and host a profile plans."""
    from training.testbed import casting, plan

    profile = _chosen(args)
    kinds = casting.cast(profile).kinds
    acts = plan.plan(profile, profile.seed)
    for kind, count in Counter(act.kind for act in acts).most_common():
        hosts = Counter(act.host for act in acts if act.kind == kind)
        print(f"{count:7d}  {kind:24s} {kinds[kind].label:12s} {', '.join(f'{host} {n}' for host, n in hosts.items())}")
    busy_s = sum(kinds[act.kind].lasts_s for act in acts)
    print(f"{len(acts):7d}  acts in {profile.hours:g} hours, about {busy_s / 60:.0f} minutes one after the other")
    return 0


def _list(args: argparse.Namespace) -> int:
    """Print the profiles, and all kinds of acts with label, services and programs."""
    from training.testbed import registry, settings

    print("profiles")
    for name in settings.names():
        one = settings.load(name)
        print(f"  {name:12s} {one.hours:g} hours in at most {one.minutes:g} minutes, {len(one.kinds)} kinds of acts")
    print("\nkinds of acts: name, label, services, programs")
    for kind in sorted(registry.kinds().values(), key=lambda kind: (kind.label != "benign", kind.label, kind.name)):
        print(f"  {kind.name:20s} {kind.label:13s} {' '.join(kind.services) or '-':24s} {' '.join(kind.needs) or '-'}")
    return 0


def _packages(args: argparse.Namespace) -> int:
    """Print the Debian packages that profiles need, on one line."""
    from training.testbed import casting, settings

    needs = {package for name in args.profiles for package in casting.needs(settings.load(name)).values()}
    print(" ".join(sorted(needs)))
    return 0


def _record(profile: "Profile", args: argparse.Namespace, name: str) -> int:
    from training.testbed import casting
    from training.testbed.enclosure import enclose

    path = Path(args.profile)
    words = ["enclosed", str(path.resolve()) if path.suffix == ".toml" else args.profile, "--name", name]
    words += ["-o", str(args.output.resolve()), "--seed", str(profile.seed), "--minutes", str(profile.minutes)]
    words += ["--nat"] if profile.network.get("nat") else []
    return enclose(words, 3 * 60.0 * profile.minutes + SPARE_S, needs=casting.needs(profile))


def _enclosed(args: argparse.Namespace) -> int:
    from training.testbed.recording import record

    began = time.monotonic()

    def tell(text: str) -> None:
        print(f"[{time.monotonic() - began:6.1f} s] {text}", file=sys.stderr, flush=True)

    profile = _chosen(args)
    _summarize(record(profile, profile.seed, args.output, args.name or profile.name, tell))
    return 0


def _chosen(args: argparse.Namespace) -> "Profile":
    """Return the profile with the flags put above it."""
    from training.testbed.settings import load

    profile = load(args.profile)
    if args.seed is not None:
        profile = replace(profile, seed=args.seed)
    if args.minutes is not None:
        if args.minutes <= 0:
            raise NettrusionError(f"--minutes {args.minutes:g}: must be more than 0")
        profile = replace(profile, minutes=args.minutes)
    return replace(profile, network={**profile.network, "nat": True}) if args.nat else profile


def _summarize(manifest: Mapping[str, Any]) -> None:
    """Print what a recording holds."""
    capture, counts = manifest["capture"], manifest["labels"]["conversations"]["by_label"]
    hours = (capture["end_ns"] - capture["start_ns"]) / 3.6e12
    print(f"{capture['file']}: {capture['packets']} packets, {sum(counts.values())} conversations, {hours:.2f} hours")
    print("  " + ", ".join(f"{label} {count}" for label, count in sorted(counts.items(), key=lambda one: -one[1])))
    if left_out := sum(manifest["left_out"].values()):
        print(f"  {left_out} acts were planned and left out: the time did not suffice for them")
    if surprises := manifest["surprises"]:
        print(f"  {len(surprises)} surprises, the first ones:")
        for one in surprises[:MOST_SURPRISES]:
            print(f"    act {one['act']} ({one['kind']}): {one['what']}")


def _doc(function: Any) -> str:
    return str(function.__doc__)
