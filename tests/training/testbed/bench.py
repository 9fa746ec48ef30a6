"""Try something in the recorded network: a command of a host, or a function of a test.

By hand, with the services that it needs (names of modules in `training.testbed.services`):

    python -m tests.training.testbed.bench --with names,web desk 'curl -s http://web.home.test/'

In a test, by the fixture `in_world`: the function runs as root in an enclosure of its own, with a
`Bench` and plain values as arguments, and its result, plain values too, comes back.

    def fetched(bench: Bench, path: str) -> str:
        bench.serve("names", "web")
        return bench.run("desk", "curl", "-s", f"http://web.home.test{path}").stdout

    def test_a_page_is_served(in_world):
        assert "<html>" in in_world(fetched, "/")
"""

import argparse
import importlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.testbed.enclosure import NAT_TOOLS, enclose, furnish
from training.testbed.network import Network, build
from training.testbed.service import Service
from training.testbed.world import World


class Bench:
    """The world made real, with programs started and ended by hand."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.world: World = network.world
        self.running: list[subprocess.Popen[str]] = []

    def run(self, host: str, *words: str, stdin: str = "", limit_s: float = 20.0) -> "subprocess.CompletedProcess[str]":
        """Run a program in a host to its end."""
        with self.network.enter(host):
            return subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=limit_s)

    def start(self, host: str, *words: str) -> "subprocess.Popen[str]":
        """Start a program in a host; it is killed at the end. What it says goes to stderr."""
        with self.network.enter(host):
            one = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=sys.stderr, text=True)
        self.running.append(one)
        return one

    def serve(self, *modules: str) -> None:
        """Start all services of modules of `training.testbed.services` and wait until they listen."""
        services: list[Service] = []
        for name in modules:
            services += importlib.import_module(f"training.testbed.services.{name}").SERVICES
        for service in services:
            self.world.folder(service.name).mkdir(exist_ok=True)
            service.furnish(self.world, random.Random(service.name))
            for words in service.commands(self.world):
                self.start(service.host, *words)
        until_s = time.monotonic() + 15
        for service in services:
            for kind, ports in (("t", service.tcp), ("u", service.udp)):
                while silent := [port for port in ports if f":{port} " not in self.bound(service.host, kind)]:
                    if time.monotonic() > until_s or any(one.poll() for one in self.running):
                        raise RuntimeError(f"{service.name} does not listen on {kind} {silent}")
                    time.sleep(0.05)

    def bound(self, host: str, kind: str) -> str:
        """Return what `ss` tells about the sockets that are bound in a host."""
        return self.run(host, "ss", "-Hln" + kind).stdout


def main() -> int:
    """Run a command in a host, or what a test asked for."""
    if sys.argv[1] == "enclosed":
        return enclosed(json.loads(sys.argv[2]))
    parser = argparse.ArgumentParser(prog="python -m tests.training.testbed.bench", description=__doc__)
    parser.add_argument("--nat", action="store_true")
    parser.add_argument("--with", dest="services", default="", metavar="MODULE,...")
    parser.add_argument("--limit", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("host")
    parser.add_argument("command", help="for the shell")
    args = parser.parse_args()
    asked = {"call": "tests.training.testbed.bench:shell", "settings": {"nat": args.nat}}
    asked["arguments"] = [args.host, args.command, args.services]
    needs = NAT_TOOLS if args.nat else {}
    return enclose(["enclosed", json.dumps(asked)], args.limit, module="tests.training.testbed.bench", needs=needs)


def shell(bench: Bench, host: str, command: str, services: str) -> int:
    """Run a shell command in a host, its output on the terminal."""
    bench.serve(*filter(None, services.split(",")))
    with bench.network.enter(host):
        return subprocess.run(["sh", "-c", command]).returncode


def enclosed(asked: dict[str, Any]) -> int:
    """Make the world and call a function in it; its result goes to a file, or is the exit code."""
    module, name = asked["call"].split(":")
    function = getattr(importlib.import_module(module), name)
    world = build(asked.get("settings"))
    result = Path(asked["result"]) if "result" in asked else None
    furnish(world, [result.parent] if result else [])
    with Network(world, 1) as network:
        bench = Bench(network)
        try:
            value = function(bench, *asked.get("arguments", []))
        finally:
            for one in bench.running:
                one.kill()
                one.wait()
    if result:
        result.write_text(json.dumps(value))
        return 0
    return int(value)


def call(function: Callable[..., Any], arguments: tuple[Any, ...], folder: Path, **more: Any) -> Any:
    """Call a function of a module in a world of its own and return its result; `more`: settings, limit_s."""
    result = folder / f"{function.__name__}.json"
    asked: dict[str, Any] = {
        "call": f"{function.__module__}:{function.__name__}",
        "arguments": arguments,
        "result": str(result),
    }
    asked["settings"] = more.get("settings") or {}
    needs = NAT_TOOLS if asked["settings"].get("nat") else {}
    words = ["enclosed", json.dumps(asked)]
    code = enclose(words, more.get("limit_s", 60.0), module="tests.training.testbed.bench", needs=needs)
    assert code == 0, f"{function.__name__} failed in its world, see above"
    return json.loads(result.read_text())


if __name__ == "__main__":
    sys.exit(main())
