"""Measure every stage several times, one after another, and print medians, ranges and ratios."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.captures import ROOT, mixture, open_flows
from benchmarks.ratios import Ratio, in_turns, of_engine
from benchmarks.stages import SETS

NFSTREAM_VENV = ROOT / "build" / "nfstream"
NFSTREAM_VERSION = "6.6.0"
MEGABYTES_AIM = 200
IN_TURNS = {
    "record headers only": "walk",
    "engine without context": "contextless",
    "engine only": "engine",
    "engine and cic2022": "cic2022",
    "engine and flow1": "flow1",
}
AIMS_S = {"engine only": 0.3, "whole path, alerts": 0.5}


@dataclass(frozen=True, slots=True)
class Measured:
    """A stage's repeated figures: CPU seconds of each run, packets a run, flows, peak memory in MB."""

    name: str
    cpu_s: tuple[float, ...]
    packets: int
    flows: int
    rss_mb: float

    @property
    def per_million(self) -> list[float]:
        """CPU seconds per million packets, ascending."""
        return sorted(seconds * 1e6 / self.packets for seconds in self.cpu_s)

    @property
    def median(self) -> float:
        """The median of `per_million`."""
        return statistics.median(self.cpu_s) * 1e6 / self.packets


def stage(python: str | Path, name: str, capture: Path) -> dict[str, float]:
    """Run one stage of `benchmarks.stages` in a fresh process and return its figures."""
    words = [str(python), "-m", "benchmarks.stages", name, str(capture)]
    done = subprocess.run(words, cwd=ROOT, env=quiet(), stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def score(capture: Path, folder: Path, *options: str) -> dict[str, float]:
    """Run `nettrusion score` and return what the kernel says the whole process took."""
    words = [sys.executable, "-m", "sensor.cli", "score", str(capture), *options]
    words += ["-o", str(folder / "eve.json")]
    with (folder / "score.out").open("wb") as out:
        child = subprocess.Popen(words, cwd=ROOT, env=quiet(), stdout=out, stderr=out)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit((folder / "score.out").read_text())
    return {"cpu_s": usage.ru_utime + usage.ru_stime, "rss_mb": usage.ru_maxrss / 1024}


def quiet() -> dict[str, str]:
    """Return an environment in which numerical libraries use one thread."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def repeat(name: str, times: int, once: Callable[[], dict[str, float]], packets: int = 0) -> Measured:
    """Measure `once` several times and print its line."""
    return told(name, [once() for _ in range(times)], packets)


def told(name: str, runs: Sequence[dict[str, float]], packets: int = 0) -> Measured:
    """Print the line of a stage's runs and return its figures."""
    last = runs[-1]
    made = Measured(
        name,
        tuple(run["cpu_s"] for run in runs),
        packets or int(last["packets"]),
        int(last.get("flows", 0)),
        max(run["rss_mb"] for run in runs),
    )
    low, high = made.per_million[0], made.per_million[-1]
    aim = f"   aim {AIMS_S[name]}" if name in AIMS_S else ""
    print(f"{name:<28}{made.median:>9.3f}{low:>9.3f} -{high:>7.3f}{made.rss_mb:>9.0f}{aim}", flush=True)
    return made


def nfstream_python() -> Path:
    """Return the Python of a virtual environment with NFStream, made on the first use."""
    python = NFSTREAM_VENV / "bin" / "python"
    if not python.is_file():
        subprocess.run([sys.executable, "-m", "venv", str(NFSTREAM_VENV)], check=True)
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, f"nfstream=={NFSTREAM_VERSION}"], check=True)
    return python


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    top = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    top.add_argument("--capture", type=Path, help="measure on this classic pcap instead of a mixture")
    top.add_argument("--packets", type=int, default=3_000_000, help="packets of the mixture")
    top.add_argument("--repeats", type=int, default=3, help="runs of each stage")
    top.add_argument("--no-nfstream", action="store_true", help="leave NFStream out")
    top.add_argument(
        "--beside", type=Path, action="append", default=[], metavar="MODEL", help="a bundle beside the bundled one"
    )
    top.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the captures, measure, print."""
    args = parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="nettrusion-bench-") as name:
        folder = Path(name)
        capture = args.capture or mixture(folder, args.packets)
        measured, turns = measure(capture.absolute(), folder, args.repeats, not args.no_nfstream)
        detectors(capture.absolute(), args.repeats, [model.absolute() for model in args.beside])
        many = live(folder)
    ratios(measured)
    if args.json:
        figures: dict[str, object] = {
            m.name: {"cpu_s_per_million": m.per_million, "rss_mb": m.rss_mb} for m in (*measured, many)
        }
        figures |= {each.name: {"ratios": list(each.turns)} for each in turns}
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


def measure(capture: Path, folder: Path, times: int, beside: bool) -> tuple[list[Measured], list[Ratio]]:
    """Measure all stages on a capture, print them and return them, with what was measured in turns."""
    here = sys.executable
    print(f"{processor()}, Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    print(f"{'CPU s per million packets':<28}{'median':>9}{'least - most':>18}{'peak MB':>9}")
    runs = in_turns({name: partial(stage, here, each, capture) for name, each in IN_TURNS.items()}, times)
    made = [told(name, figures) for name, figures in runs.items()]
    packets, flows = made[0].packets, made[-1].flows
    made += [
        repeat("whole path, alerts", times, lambda: score(capture, folder), packets),
        repeat("whole path, alerts and flows", times, lambda: score(capture, folder, "--flows"), packets),
    ]
    if beside:
        python = nfstream_python()
        made.append(repeat(f"NFStream {NFSTREAM_VERSION}", times, lambda: stage(python, "nfstream", capture)))
    print(f"{packets:,} packets, {flows:,} flows, {times} runs each; the whole path counts its start-up in")
    extracted = {name: _us_a_flow(runs[f"engine and {name}"]) for name in SETS}
    print("us of CPU a flow, features alone: " + ", ".join(f"{name} {us:.2f}" for name, us in extracted.items()))
    print(f"\n{'ratios of a turn':<44}{'median':>8}{'least - most':>17}")
    beside_each_other = of_engine(runs)
    print(*(each.line for each in beside_each_other), sep="\n")
    return made, beside_each_other


def _us_a_flow(runs: Sequence[dict[str, float]]) -> float:
    """Return the microseconds that the features of a flow took, the median of the runs."""
    return statistics.median(run["extract_s"] * 1e6 / run["flows"] for run in runs)


def detectors(capture: Path, times: int, models: Sequence[Path]) -> None:
    """Print what the bundled detector costs beside other bundles, measured in a fresh process."""
    words = [sys.executable, "-m", "benchmarks.detectors", str(capture), *map(str, models), "--repeats", str(times)]
    print(flush=True)
    subprocess.run(words, cwd=ROOT, env=quiet(), check=True)


def live(folder: Path, flows: int = 100_000) -> Measured:
    """Measure the memory of the whole path with that many flows open at once."""
    capture = open_flows(folder, flows)
    print(f"\n{flows:,} flows at once")
    figures = stage(sys.executable, "engine", capture)
    if figures["live"] < flows:
        raise SystemExit(f"only {figures['live']:.0f} flows were open at once")
    whole = repeat("whole path, all open", 1, lambda: score(capture, folder, "--flows"), int(figures["packets"]))
    print(
        f"engine alone, all open {figures['live_mb']:.0f} MB, at most {figures['rss_mb']:.0f} MB as all leave at once"
    )
    print(f"whole path at most {whole.rss_mb:.0f} MB (aim: below {MEGABYTES_AIM})")
    return whole


def ratios(measured: Sequence[Measured]) -> None:
    """Print how much dearer each other stage is than the whole path."""
    whole = next(m for m in measured if m.name == "whole path, alerts")
    print("\ntimes the CPU of the whole path with alerts")
    for each in measured:
        print(f"{each.name:<28}{each.median / whole.median:>9.2f}")


def processor() -> str:
    """Return the processor's name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
